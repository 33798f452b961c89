//! The schema of one subgraph, built back from the join directives of a supergraph.
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex};

use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, Value};
use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use apollo_compiler::validation::Valid;

struct View<'a> {
    schema: &'a Schema,
    graph: String,
}

fn arg<'d>(d: &'d Directive, name: &str) -> Option<&'d Value> {
    d.specified_argument_by_name(name).map(|v| &**v)
}

fn text(d: &Directive, name: &str) -> Option<String> {
    arg(d, name).and_then(|v| v.as_str()).map(str::to_owned)
}

fn flag(d: &Directive, name: &str) -> bool {
    arg(d, name).and_then(|v| v.to_bool()).unwrap_or(false)
}

type Built = Mutex<HashMap<(String, String), Arc<Valid<Schema>>>>;

/// Building a view takes much longer than using it.
static BUILT: LazyLock<Built> = LazyLock::new(Built::default);

pub fn subgraph_schema(supergraph: &str, name: &str) -> Arc<Valid<Schema>> {
    let key = (supergraph.to_owned(), name.to_owned());
    if let Some(known) = BUILT.lock().expect("no panic while held").get(&key) {
        return known.clone();
    }
    let built = Arc::new(build(supergraph, name));
    BUILT
        .lock()
        .expect("no panic while held")
        .insert(key, built.clone());
    built
}

fn build(supergraph: &str, name: &str) -> Valid<Schema> {
    let schema = Schema::parse(supergraph, "supergraph").expect("a supergraph");
    let graphs = schema.get_enum("join__Graph").expect("graphs");
    let graph = graphs
        .values
        .iter()
        .find(|(value, def)| {
            let given = def.directives.get("join__graph").and_then(|d| text(d, "name"));
            given.as_deref() == Some(name) || (given.is_none() && value.as_str() == name)
        })
        .expect("the subgraph exists")
        .0
        .to_string();
    let view = View {
        schema: &schema,
        graph,
    };
    let sdl = view.sdl();
    match Schema::parse_and_validate(&sdl, "subgraph") {
        Ok(valid) => valid,
        Err(e) => panic!("the view of {name} is not valid: {}\n{sdl}", e.errors),
    }
}

impl View<'_> {
    fn here(&self, d: &Directive) -> bool {
        matches!(arg(d, "graph"), Some(Value::Enum(g)) if g.as_str() == self.graph)
    }

    fn joins<'t>(&'t self, ty: &'t ExtendedType) -> impl Iterator<Item = &'t Directive> {
        ty.directives()
            .iter()
            .map(|d| &***d)
            .filter(|d| d.name == "join__type" && self.here(d))
    }

    fn sdl(&self) -> String {
        let mut out = String::from("scalar _Any\n");
        let mut entities = BTreeSet::new();
        for (name, ty) in &self.schema.types {
            if name.starts_with("__") || name.contains("__") || ty.is_built_in() {
                continue;
            }
            if self.joins(ty).next().is_none() {
                continue;
            }
            let entity = self.joins(ty).any(|d| arg(d, "key").is_some());
            self.type_sdl(ty, &mut out);
            match ty {
                ExtendedType::Object(_) if entity => _ = entities.insert(name.to_string()),
                ExtendedType::Interface(_)
                    if entity && self.joins(ty).any(|d| flag(d, "isInterfaceObject")) =>
                {
                    entities.insert(name.to_string());
                }
                _ => {}
            }
        }
        let roots = |n: &str| self.schema.types.get(n).is_some_and(|t| self.has_fields(t));
        if !roots("Query") {
            out.push_str("type Query { _service: String }\n");
        }
        if !entities.is_empty() {
            let members: Vec<_> = entities.into_iter().collect();
            _ = writeln!(out, "union _Entity = {}", members.join(" | "));
            out.push_str("extend type Query { _entities(representations: [_Any!]!): [_Entity]! }\n");
        }
        out
    }

    fn has_fields(&self, ty: &ExtendedType) -> bool {
        let ExtendedType::Object(def) = ty else {
            return false;
        };
        self.joins(ty).next().is_some() && def.fields.values().any(|f| self.field(f).is_some())
    }

    fn field(&self, f: &FieldDefinition) -> Option<String> {
        let joins: Vec<&Directive> = f
            .directives
            .iter()
            .map(|d| &**d)
            .filter(|d| d.name == "join__field")
            .collect();
        let mine = joins.iter().find(|d| self.here(d));
        if !joins.is_empty() && mine.is_none() {
            return None;
        }
        let ty = mine
            .and_then(|d| text(d, "type"))
            .unwrap_or_else(|| f.ty.to_string());
        let args: Vec<String> = f
            .arguments
            .iter()
            .map(|a| format!("{}: {}", a.name, a.ty))
            .collect();
        let args = if args.is_empty() {
            String::new()
        } else {
            format!("({})", args.join(", "))
        };
        Some(format!("  {}{args}: {ty}\n", f.name))
    }

    fn fields<'f>(&self, fields: impl Iterator<Item = &'f FieldDefinition>) -> String {
        fields.filter_map(|f| self.field(f)).collect()
    }

    fn implements(&self, ty: &ExtendedType) -> String {
        let names: Vec<String> = ty
            .directives()
            .iter()
            .filter(|d| d.name == "join__implements" && self.here(d))
            .filter_map(|d| text(d, "interface"))
            .collect();
        if names.is_empty() {
            String::new()
        } else {
            format!(" implements {}", names.join(" & "))
        }
    }

    fn type_sdl(&self, ty: &ExtendedType, out: &mut String) {
        let name = ty.name();
        match ty {
            ExtendedType::Scalar(_) => _ = writeln!(out, "scalar {name}"),
            ExtendedType::Object(def) => {
                let fields = self.fields(def.fields.values().map(|f| &***f));
                if !fields.is_empty() {
                    _ = writeln!(out, "type {name}{} {{\n{fields}}}", self.implements(ty));
                }
            }
            ExtendedType::Interface(def) => {
                let object = self.joins(ty).any(|d| flag(d, "isInterfaceObject"));
                let word = if object { "type" } else { "interface" };
                let fields = self.fields(def.fields.values().map(|f| &***f));
                _ = writeln!(out, "{word} {name}{} {{\n{fields}}}", self.implements(ty));
            }
            ExtendedType::Union(def) => {
                let listed = def
                    .directives
                    .iter()
                    .filter(|d| d.name == "join__unionMember" && self.here(d));
                let members: Vec<String> = listed.filter_map(|d| text(d, "member")).collect();
                _ = writeln!(out, "union {name} = {}", members.join(" | "));
            }
            ExtendedType::Enum(def) => {
                let here = |v: &apollo_compiler::ast::EnumValueDefinition| {
                    let mut joins = v
                        .directives
                        .iter()
                        .filter(|d| d.name == "join__enumValue")
                        .peekable();
                    joins.peek().is_none() || joins.any(|d| self.here(d))
                };
                let values: Vec<&str> = def
                    .values
                    .values()
                    .filter(|v| here(v))
                    .map(|v| v.value.as_str())
                    .collect();
                _ = writeln!(out, "enum {name} {{ {} }}", values.join(" "));
            }
            ExtendedType::InputObject(def) => {
                let fields: Vec<String> = def
                    .fields
                    .values()
                    .map(|f| format!("{}: {}", f.name, f.ty))
                    .collect();
                _ = writeln!(out, "input {name} {{ {} }}", fields.join(" "));
            }
        }
    }
}

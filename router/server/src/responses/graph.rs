//! What a supergraph says about keeping answers: `@cacheControl`, `@cacheTag`, keys of entities, and which version of a
//! subgraph its types are.
//!
//! <https://www.apollographql.com/docs/apollo-server/performance/caching> for `@cacheControl`, which reaches the
//! supergraph by `@composeDirective`; `@cacheTag` stands there as `@join__directive`.

use std::collections::HashMap;

use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, FieldDefinition, Value};
use apollo_compiler::schema::ExtendedType;

use super::format::Format;
use super::key::{Hasher, Key};
use super::question::{Asked, Question, Questions};

/// `@cacheControl` of a type or field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hint {
    /// Seconds it stays fresh.
    pub max_age: Option<u64>,
    /// Whether it is one caller's own.
    pub private: bool,
    /// Whether it stays fresh as long as what it is in.
    pub inherits: bool,
    /// Whether several subgraphs have what it stands on: which of them says so is not known any more.
    pub anyones: bool,
}

/// A supergraph, as far as it matters for keeping answers.
pub struct Graph {
    schema: Schema,
    subgraphs: HashMap<String, Subgraph>,
    questions: Questions,
}

/// A subgraph of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subgraph {
    /// Its value in `join__Graph`.
    name: String,
    /// Changes with the types that it has a part in, and with its address.
    pub version: Key,
}

impl Graph {
    /// Reads supergraph SDL; `None` if it is none. `address` says where a subgraph is.
    pub fn read(text: &str, address: impl Fn(&str) -> String) -> Option<Graph> {
        let schema = Schema::parse(text, "supergraph.graphql").ok()?;
        let names = names(&schema)?;
        let mut versions: HashMap<&str, Hasher> = HashMap::new();
        for (value, name) in &names {
            let hasher = Hasher::of("subgraph").with(name.as_bytes());
            versions.insert(value, hasher.with(address(name).as_bytes()));
        }
        for ty in schema.types.values() {
            let text = ty.serialize().to_string();
            let mut of: Vec<&str> = ty
                .directives()
                .get_all("join__type")
                .filter_map(|joined| graph_of(joined))
                .collect();
            of.dedup();
            if of.is_empty() {
                of = names.iter().map(|(value, _)| value.as_str()).collect();
            }
            for value in of {
                if let Some(hasher) = versions.get_mut(value) {
                    hasher.add(text.as_bytes());
                }
            }
        }
        let versions: HashMap<String, Key> = versions
            .into_iter()
            .map(|(value, hasher)| (value.to_owned(), hasher.key()))
            .collect();
        let subgraphs = names.iter().map(|(value, name)| {
            let (name, value) = (name.clone(), value.clone());
            let version = versions[&value];
            (name, Subgraph { name: value, version })
        });
        let subgraphs = subgraphs.collect();
        Some(Graph {
            subgraphs,
            questions: Questions::default(),
            schema,
        })
    }

    /// A subgraph by its name.
    pub fn subgraph(&self, name: &str) -> Option<&Subgraph> {
        self.subgraphs.get(name)
    }

    /// What a request asks, read once for each text; `None` if its answers cannot be kept.
    pub fn question(&self, subgraph: &Subgraph, asked: &Asked<'_>) -> Option<std::sync::Arc<Question>> {
        self.questions
            .get(&subgraph.name, asked.query.get(), || Question::read(self, asked))
    }

    /// The root type of queries.
    pub fn query(&self) -> &str {
        let query = self.schema.schema_definition.query.as_ref();
        query.map_or("Query", |query| query.name.as_str())
    }

    /// A field's definition.
    pub fn field(&self, ty: &str, name: &str) -> Option<&FieldDefinition> {
        let fields = match self.schema.types.get(ty)? {
            ExtendedType::Object(object) => &object.fields,
            ExtendedType::Interface(interface) => &interface.fields,
            _ => return None,
        };
        fields.get(name).map(|field| &***field)
    }

    /// Whether a type is one that objects have at run time (an interface may stand for an object in a subgraph).
    pub fn is_object(&self, ty: &str) -> bool {
        self.schema.types.get(ty).is_some_and(ExtendedType::is_object)
    }

    /// Whether what is said of objects of one type may be about those of another.
    pub fn may_be(&self, ty: &str, condition: &str) -> bool {
        ty == condition || !self.is_object(condition) || !self.is_object(ty)
    }

    /// What `@cacheControl` says of a type.
    pub fn type_hint(&self, ty: &str) -> Hint {
        let directives = self.schema.types.get(ty).map(|ty| ty.directives());
        let directives = directives.into_iter().flat_map(|all| all.iter());
        let hint = directives.map(|directive| &***directive).find_map(hint);
        Hint {
            anyones: self.is_of_several(ty),
            ..hint.unwrap_or_default()
        }
    }

    fn is_of_several(&self, ty: &str) -> bool {
        let directives = self.schema.types.get(ty).map(|ty| ty.directives());
        let joined = directives.into_iter().flat_map(|all| all.get_all("join__type"));
        several(joined.filter_map(|joined| graph_of(joined)))
    }

    /// What `@cacheControl` says of a field.
    pub fn field_hint(&self, ty: &str, field: &FieldDefinition) -> Hint {
        let mut joined = field
            .directives
            .get_all("join__field")
            .filter_map(|one| graph_of(one))
            .peekable();
        let anyones = match joined.peek() {
            Some(_) => several(joined),
            None => self.is_of_several(ty),
        };
        let mut directives = field.directives.iter().map(|directive| &**directive);
        Hint {
            anyones,
            ..directives.find_map(hint).unwrap_or_default()
        }
    }

    /// Formats of `@cacheTag` that a subgraph gives a type.
    pub fn type_tags<'a>(&'a self, subgraph: &'a Subgraph, ty: &str) -> impl Iterator<Item = Format> + 'a {
        let directives = self.schema.types.get(ty).map(|ty| ty.directives());
        let directives = directives.into_iter().flat_map(|all| all.iter());
        directives.filter_map(|directive| tag(directive, &subgraph.name))
    }

    /// Formats of `@cacheTag` that a subgraph gives a field.
    pub fn field_tags<'a>(
        subgraph: &'a Subgraph,
        field: &'a FieldDefinition,
    ) -> impl Iterator<Item = Format> + 'a {
        field
            .directives
            .iter()
            .filter_map(|directive| tag(directive, &subgraph.name))
    }

    /// Keys of an entity that are made of plain fields, each a list of names.
    pub fn keys<'a>(&'a self, ty: &str) -> impl Iterator<Item = Vec<&'a str>> + 'a {
        let directives = self.schema.types.get(ty).map(|ty| ty.directives());
        let joined = directives.into_iter().flat_map(|all| all.get_all("join__type"));
        let keys = joined.filter_map(|joined| joined.specified_argument_by_name("key")?.as_str());
        keys.filter(|key| !key.contains('{'))
            .map(|key| key.split_whitespace().collect())
    }
}

/// Values of the graph enum, with the names that subgraphs have outside.
fn names(schema: &Schema) -> Option<Vec<(String, String)>> {
    let graphs = schema.get_enum("join__Graph")?;
    let named = graphs.values.iter().map(|(value, definition)| {
        let graph = definition.directives.get("join__graph");
        let name = graph.and_then(|graph| graph.specified_argument_by_name("name")?.as_str());
        let name = name.filter(|name| !name.is_empty()).unwrap_or(value.as_str());
        (value.to_string(), name.to_owned())
    });
    Some(named.collect())
}

fn graph_of(joined: &Directive) -> Option<&str> {
    Some(joined.specified_argument_by_name("graph")?.as_enum()?.as_str())
}

/// Whether there is more than one, or none is named.
fn several<'a>(mut graphs: impl Iterator<Item = &'a str>) -> bool {
    let Some(first) = graphs.next() else { return true };
    graphs.any(|graph| graph != first)
}

fn hint(directive: &Directive) -> Option<Hint> {
    if directive.name.rsplit("__").next() != Some("cacheControl") {
        return None;
    }
    let value = |name: &str| directive.specified_argument_by_name(name);
    let seconds =
        |value: &apollo_compiler::Node<Value>| value.to_i32().and_then(|age| u64::try_from(age).ok());
    Some(Hint {
        // An age that is none keeps nothing.
        max_age: value("maxAge")
            .filter(|age| !matches!(***age, Value::Null))
            .map(|age| seconds(age).unwrap_or(0)),
        private: value("scope")
            .and_then(|scope| scope.as_enum())
            .is_some_and(|scope| scope == "PRIVATE"),
        inherits: value("inheritMaxAge").is_some_and(|inherits| **inherits == Value::Boolean(true)),
        anyones: false,
    })
}

/// The format of a `@cacheTag` of a subgraph.
fn tag(directive: &Directive, graph: &str) -> Option<Format> {
    if directive.name != "join__directive" {
        return None;
    }
    let value = |name: &str| directive.specified_argument_by_name(name);
    let name = value("name")?.as_str()?;
    if name.rsplit("__").next() != Some("cacheTag") {
        return None;
    }
    let graphs = value("graphs")?.as_list()?;
    if !graphs
        .iter()
        .any(|one| one.as_enum().is_some_and(|one| one == graph))
    {
        return None;
    }
    let args = value("args")?.as_object()?;
    let (_, format) = args.iter().find(|(name, _)| name == "format")?;
    Some(Format::parse(format.as_str()?))
}

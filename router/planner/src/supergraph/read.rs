//! Reads the join directives into the [`Model`]. <https://specs.apollo.dev/join/v0.3/>

use apollo_compiler::ast::{Directive, DirectiveList as AstDirectives, EnumValueDefinition, Value};
use apollo_compiler::collections::IndexMap as ApolloMap;
use apollo_compiler::schema::{Component, ComponentName, ExtendedType, FieldDefinition};
use apollo_compiler::{Name, Schema};
use hashbrown::HashMap;
use indexmap::IndexMap;

use super::SupergraphError;
use super::contexts::Contexts;
use super::field_set::{self, FieldSet};
use super::links::Links;
use super::model::{FieldDef, Key, Kind, Model, SubField, SubId, SubType, SubgraphInfo, TypeDef};
use super::possible;
use super::provided;
use super::rights::Rights;
use super::types::{TypeIx, Types};

pub(super) struct Reader<'a> {
    pub(super) schema: &'a Schema,
    pub(super) links: &'a Links,
    graphs: HashMap<Name, SubId>,
    pub(super) by_name: HashMap<Name, TypeIx>,
    possible: Vec<Types>,
    /// Objects and interfaces that implement each interface.
    pub(super) implementers: HashMap<Name, Vec<TypeIx>>,
    pub(super) names: Vec<Name>,
    pub(super) contexts: Contexts,
}

/// Reads every type of the supergraph.
pub(crate) fn model(schema: &Schema, links: &Links) -> Result<Model, SupergraphError> {
    let (subgraphs, graphs) = graphs(schema, links)?;
    let names: Vec<&Name> = schema
        .types
        .keys()
        .filter(|n| !n.starts_with("__") && !links.is_machinery(n))
        .collect();
    let by_name: HashMap<Name, TypeIx> = names
        .iter()
        .enumerate()
        .map(|(i, n)| ((*n).clone(), TypeIx(i as u32)))
        .collect();
    let possible = possible::possible_types(schema, &names, &by_name);
    let mut reader = Reader {
        schema,
        links,
        graphs,
        by_name,
        possible,
        implementers: possible::implementers(schema, &names),
        names: names.iter().map(|n| (*n).clone()).collect(),
        contexts: Contexts::new(),
    };
    reader.contexts = reader.contexts(schema);
    let mut types = Vec::with_capacity(names.len());
    for (ix, name) in names.iter().enumerate() {
        types.push(reader.type_def(TypeIx(ix as u32), &schema.types[*name])?);
    }
    let root =
        |name: &Option<ComponentName>| name.as_ref().and_then(|n| reader.by_name.get(&n.name).copied());
    let definition = &schema.schema_definition;
    let query = root(&definition.query)
        .ok_or_else(|| SupergraphError::NotASupergraph("it has no query root type".into()))?;
    let (mutation, subscription) = (root(&definition.mutation), root(&definition.subscription));
    let by_name = reader.by_name;
    if links.is_join_0_1 {
        provided::make_known(&mut types, &by_name);
    }
    Ok(Model {
        subgraphs,
        types,
        by_name,
        query,
        mutation,
        subscription,
    })
}

type Graphs = (Vec<SubgraphInfo>, HashMap<Name, SubId>);

fn graphs(schema: &Schema, links: &Links) -> Result<Graphs, SupergraphError> {
    let name = format!("{}__Graph", links.join);
    let graph_enum = schema
        .get_enum(&name)
        .ok_or_else(|| SupergraphError::NotASupergraph(format!("it has no enum {name}")))?;
    let directive = format!("{}__graph", links.join);
    let (mut infos, mut ids) = (Vec::new(), HashMap::new());
    for (value, definition) in &graph_enum.values {
        let graph = definition.directives.get(&directive);
        let text = |arg| graph.and_then(|d| string(d, arg)).unwrap_or_default();
        let given = text("name");
        let name = if given.is_empty() {
            value.to_string()
        } else {
            given
        };
        let id = u16::try_from(infos.len())
            .map_err(|_| SupergraphError::NotASupergraph("it has more than 65535 subgraphs".into()))?;
        ids.insert(value.clone(), SubId(id));
        infos.push(SubgraphInfo {
            name,
            url: text("url"),
        });
    }
    Ok((infos, ids))
}

pub(super) fn string(directive: &Directive, argument: &str) -> Option<String> {
    directive
        .specified_argument_by_name(argument)?
        .as_str()
        .map(str::to_owned)
}

pub(super) fn flag(directive: &Directive, argument: &str, default: bool) -> bool {
    directive
        .specified_argument_by_name(argument)
        .and_then(|v| v.to_bool())
        .unwrap_or(default)
}

impl Reader<'_> {
    pub(super) fn join(&self, element: &str) -> String {
        format!("{}__{element}", self.links.join)
    }

    pub(super) fn graph(&self, directive: &Directive) -> Option<SubId> {
        match &**directive.specified_argument_by_name("graph")? {
            Value::Enum(name) => self.graphs.get(name).copied(),
            _ => None,
        }
    }

    /// Object types a type stands for in the supergraph.
    pub(super) fn possible(&self, ix: TypeIx) -> &Types {
        &self.possible[ix.0 as usize]
    }

    pub(super) fn field_set(&self, coordinate: &str, text: &str) -> Result<FieldSet, SupergraphError> {
        let possible = |name: &str| {
            self.by_name
                .get(name)
                .map(|t| self.possible[t.0 as usize].clone())
        };
        field_set::parse(text, &possible).map_err(|reason| SupergraphError::Invalid {
            coordinate: coordinate.into(),
            reason,
        })
    }

    fn type_def(&self, ix: TypeIx, def: &ExtendedType) -> Result<TypeDef, SupergraphError> {
        let directives = def.directives();
        let none = ApolloMap::default();
        let (kind, fields) = match def {
            ExtendedType::Scalar(_) => (Kind::Scalar, &none),
            ExtendedType::Enum(_) => (Kind::Enum, &none),
            ExtendedType::InputObject(_) => (Kind::Input, &none),
            ExtendedType::Union(_) => (Kind::Union, &none),
            ExtendedType::Object(def) => (Kind::Object, &def.fields),
            ExtendedType::Interface(def) => (Kind::Interface, &def.fields),
        };
        let mut subs = self.sub_types(ix, def)?;
        let owner = directives.get(&self.join("owner")).and_then(|d| self.graph(d));
        let mut out = IndexMap::new();
        for (name, field) in fields.iter() {
            self.sub_fields(def.name(), field, owner, &mut subs)?;
            let rights = Rights::read(self.links, field.directives.iter().map(|d| &**d));
            out.insert(
                name.clone(),
                FieldDef {
                    ty: field.ty.clone(),
                    rights,
                },
            );
        }
        let rights = Rights::read(self.links, directives.iter().map(|d| &***d));
        let hidden = |d: &AstDirectives| d.iter().any(|d| self.links.is(&d.name, "inaccessible"));
        let values: Vec<_> = match def {
            ExtendedType::Enum(e) => e.values.values().collect(),
            _ => Vec::new(),
        };
        let (hidden_values, values): (Vec<_>, Vec<_>) =
            values.into_iter().partition(|v| hidden(&v.directives));
        let names = |values: Vec<&Component<EnumValueDefinition>>| {
            values.into_iter().map(|v| v.value.clone()).collect()
        };
        Ok(TypeDef {
            name: def.name().clone(),
            kind,
            inaccessible: directives.iter().any(|d| self.links.is(&d.name, "inaccessible")),
            fields: out,
            possible: self.possible[ix.0 as usize].clone(),
            values: names(values),
            hidden_values: names(hidden_values),
            rights,
            subs,
        })
    }

    /// Which subgraphs know the type, with their keys. Without any `join__type`: all of them (join v0.1 value types).
    fn sub_types(
        &self,
        ix: TypeIx,
        def: &ExtendedType,
    ) -> Result<Vec<Option<Box<SubType>>>, SupergraphError> {
        let mut subs: Vec<Option<Box<SubType>>> = (0..self.graphs.len()).map(|_| None).collect();
        let join_type = self.join("type");
        let owner = def
            .directives()
            .get(&self.join("owner"))
            .and_then(|d| self.graph(d));
        if def.directives().get(&join_type).is_none() && owner.is_none() {
            subs.iter_mut().for_each(|s| *s = Some(Box::default()));
        }
        if let Some(owner) = owner {
            subs[owner.ix()] = Some(Box::default());
        }
        for directive in def.directives().get_all(&join_type) {
            let Some(graph) = self.graph(directive) else {
                let reason = format!("@{join_type} names no known graph");
                return Err(SupergraphError::Invalid {
                    coordinate: def.name().to_string(),
                    reason,
                });
            };
            let sub = subs[graph.ix()].get_or_insert_default();
            sub.interface_object |= flag(directive, "isInterfaceObject", false);
            if let Some(key) = string(directive, "key") {
                let fields = self.field_set(def.name(), &key)?;
                if flag(directive, "extension", false) {
                    let names = fields.0.iter().map(|item| item.name.clone());
                    sub.extension_keys.extend(names);
                }
                sub.keys.push(Key {
                    fields,
                    resolvable: flag(directive, "resolvable", true),
                });
            }
        }
        for (s, sub) in subs.iter_mut().enumerate() {
            if let Some(sub) = sub {
                sub.possible = self.possible_in(SubId(s as u16), ix, def, sub.interface_object);
            }
        }
        Ok(subs)
    }

    fn sub_fields(
        &self,
        type_name: &Name,
        field: &Component<FieldDefinition>,
        owner: Option<SubId>,
        subs: &mut [Option<Box<SubType>>],
    ) -> Result<(), SupergraphError> {
        let join_field = self.join("field");
        let plain = SubField {
            ty: field.ty.clone(),
            external: false,
            requires: None,
            provides: None,
            lost_when: None,
            won_when: None,
            context: Vec::new(),
        };
        let key_of = |sub: &SubType| {
            sub.keys
                .iter()
                .any(|k| k.fields.0.iter().any(|i| i.name == field.name))
        };
        let listed = field.directives.get(&join_field).is_some();
        for (s, sub) in subs.iter_mut().enumerate() {
            let Some(sub) = sub else { continue };
            let by_owner = owner.is_none_or(|o| o.ix() == s);
            if (!listed && by_owner) || (owner.is_some() && key_of(sub)) {
                sub.fields.insert(field.name.clone(), plain.clone());
            }
        }
        for directive in field.directives.get_all(&join_field) {
            let Some(graph) = self.graph(directive) else {
                continue;
            };
            let coordinate = format!("{type_name}.{}", field.name);
            let read = self.sub_field(&coordinate, directive, &plain)?;
            let sub = subs[graph.ix()].get_or_insert_default();
            // An extension marks its key fields as external only because it did not declare them first: it has them.
            let own = sub.extension_keys.contains(&field.name);
            let external = read.external && !own;
            sub.fields
                .insert(field.name.clone(), SubField { external, ..read });
        }
        Ok(())
    }

    fn sub_field(
        &self,
        coordinate: &str,
        directive: &Directive,
        plain: &SubField,
    ) -> Result<SubField, SupergraphError> {
        let set = |argument: &str| {
            let text = string(directive, argument).filter(|t| !t.trim().is_empty());
            text.map(|t| self.field_set(coordinate, &t)).transpose()
        };
        let ty = match string(directive, "type") {
            Some(text) => apollo_compiler::ast::Type::parse(text, "join__field type").map_err(|e| {
                SupergraphError::Invalid {
                    coordinate: coordinate.into(),
                    reason: e.to_string(),
                }
            })?,
            None => plain.ty.clone(),
        };
        let label = string(directive, "overrideLabel");
        let winner = string(directive, "override").is_some();
        let context = self.context_arguments(coordinate, directive)?;
        let required = set("requires")?;
        Ok(SubField {
            ty,
            // Under a label the overridden field is served as long as the label is not active.
            external: flag(directive, "external", false)
                || (flag(directive, "usedOverridden", false) && label.is_none()),
            // Arguments from the context can be passed only where the entity is entered anew.
            requires: required.or_else(|| (!context.is_empty()).then(FieldSet::default)),
            provides: set("provides")?,
            lost_when: label.clone().filter(|_| !winner),
            won_when: label.filter(|_| winner),
            context,
        })
    }
}

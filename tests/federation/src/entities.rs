//! `_entities` of a mock subgraph, strict about its representations.
//!
//! A representation must hold a resolvable key, whole and without nulls, and besides keys only what the fields
//! selected in the same call require; no representation may come twice in one call.
use std::collections::BTreeSet;

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use serde_json::Value;

use crate::field_set::Path;
use crate::object::{Object, error};
use crate::server::Subgraph;

/// The root object, which also enters entities.
pub struct Root<'a> {
    pub object: Object<'a>,
    pub variables: &'a Value,
}

impl ObjectValue for Root<'_> {
    fn type_name(&self) -> &str {
        &self.object.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        if info.field_name() != "_entities" {
            return self.object.resolve_field(info);
        }
        let argument = info
            .field_selections()
            .first()
            .and_then(|field| field.specified_argument_by_name("representations"));
        let variable = argument
            .and_then(|value| value.as_variable())
            .ok_or_else(|| error("no representations".to_owned()))?;
        let representations = self.variables[variable.as_str()]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let texts: BTreeSet<String> = representations.iter().map(Value::to_string).collect();
        if texts.len() < representations.len() {
            return Err(error(format!("{variable} holds the same entity twice")));
        }
        let selected = selected(info);
        let entities = representations.iter().map(move |representation| {
            Ok(match self.object.subgraph.enter(representation, &selected)? {
                Some(entity) => ResolvedValue::Object(Box::new(entity)),
                None => ResolvedValue::Leaf(JsonValue::Null),
            })
        });
        Ok(ResolvedValue::List(Box::new(entities)))
    }
}

/// Names of the fields selected on the entities.
fn selected(info: &ResolveInfo<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for field in info.field_selections() {
        collect(&field.selection_set, info, &mut names);
    }
    names
}

fn collect(set: &SelectionSet, info: &ResolveInfo<'_>, names: &mut BTreeSet<String>) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => drop(names.insert(field.name.to_string())),
            Selection::InlineFragment(fragment) => collect(&fragment.selection_set, info, names),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = spread.fragment_def(info.document()) {
                    collect(&fragment.selection_set, info, names);
                }
            }
        }
    }
}

impl Subgraph {
    /// The entity a representation stands for.
    fn enter<'a>(
        &'a self,
        representation: &'a Value,
        selected: &BTreeSet<String>,
    ) -> Result<Option<Object<'a>>, FieldError> {
        let type_name = representation["__typename"].as_str().unwrap_or_default();
        let refused = |why: &str| error(format!("{}: {why} in {representation}", self.name));
        let keys = self
            .schema
            .keys
            .get(type_name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let whole = |key: &&Vec<Path>| key.iter().all(|path| holds(representation, path));
        let key = keys
            .iter()
            .find(whole)
            .ok_or_else(|| refused(&format!("no resolvable key of {type_name}")))?;
        if let Some(name) = self.unpromised(type_name, representation, selected) {
            return Err(refused(&format!("{name}, which nothing asked for,")));
        }
        let entities = self.data["entities"][type_name]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let same = |entity: &&Value| {
            key.iter()
                .all(|path| self.at(entity, path) == self.at(representation, path))
        };
        let Some(fields) = entities.iter().find(same) else {
            return Ok(None);
        };
        if fields["$once"] == true && !self.first(&format!("{} {representation}", self.name)) {
            return Err(refused("the entity was entered before"));
        }
        let type_name = fields["__typename"].as_str().unwrap_or(type_name).to_owned();
        Ok(Some(Object {
            subgraph: self,
            type_name,
            fields,
            with: None,
            representation: Some(representation),
            above: None,
        }))
    }

    /// Values at a path of an entity, through lists and references.
    fn at<'a>(&'a self, value: &'a Value, path: &[String]) -> Vec<&'a Value> {
        match (value, path) {
            (Value::Array(items), _) => items.iter().flat_map(|item| self.at(item, path)).collect(),
            (value, []) => vec![value],
            (value, [name, rest @ ..]) => {
                let entity = value["$entity"]
                    .as_str()
                    .and_then(|name| self.entity(name, value));
                self.at(&entity.unwrap_or(value)[name.as_str()], rest)
            }
        }
    }

    /// A member of a representation that is neither of a key nor required by a field selected here.
    fn unpromised(
        &self,
        type_name: &str,
        representation: &Value,
        selected: &BTreeSet<String>,
    ) -> Option<String> {
        let keys = self.schema.keys.get(type_name).into_iter().flatten().flatten();
        let requires = self.schema.requires.get(type_name).into_iter().flatten();
        let required = requires
            .filter(|(field, _)| selected.contains(*field))
            .flat_map(|(_, paths)| paths);
        let promised: Vec<&Path> = keys.chain(required).collect();
        unknown(representation, &promised, 0)
    }
}

/// The first member that begins none of the paths.
fn unknown(value: &Value, promised: &[&Path], depth: usize) -> Option<String> {
    match value {
        Value::Array(items) => items.iter().find_map(|item| unknown(item, promised, depth)),
        Value::Object(members) => {
            members
                .iter()
                .filter(|(name, _)| *name != "__typename")
                .find_map(|(name, value)| {
                    let below = promised
                        .iter()
                        .copied()
                        .filter(|path| path.get(depth) == Some(name));
                    let below: Vec<&Path> = below.collect();
                    if below.is_empty() {
                        return Some(name.clone());
                    }
                    let leaf = below.iter().any(|path| path.len() == depth + 1);
                    if leaf {
                        None
                    } else {
                        unknown(value, &below, depth + 1)
                    }
                })
        }
        _ => None,
    }
}

fn holds(representation: &Value, path: &[String]) -> bool {
    match (representation, path) {
        (Value::Array(items), _) => items.iter().all(|item| holds(item, path)),
        (value, []) => !value.is_null(),
        (value, [name, rest @ ..]) => holds(&value[name.as_str()], rest),
    }
}

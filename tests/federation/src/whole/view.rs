//! What a subgraph has of the whole.
use apollo_compiler::ast::Selection;
use serde_json::{Map, Value, json};

use super::declared::{Declared, Kind, Type};
use super::{NUMBER, Whole, picked};

/// The data of a subgraph.
pub(super) fn of(whole: &Whole, declared: &Declared, subgraph: &str) -> Value {
    let view = View {
        whole,
        declared,
        subgraph,
    };
    let mut data = Map::new();
    for (name, fields) in whole.data.as_object().into_iter().flatten() {
        if name != "entities"
            && let Some(ty) = view.ty(name)
        {
            data.insert(name.clone(), view.fields(name, ty, fields, Along::default()));
        }
    }
    data.insert("entities".to_owned(), view.entities());
    data.into()
}

/// How deep an object brings along others that bring along others. No operation is deeper.
const DEPTH: usize = 8;

/// What comes along with a value.
#[derive(Clone, Copy, Default)]
struct Along<'p> {
    selection: &'p [Selection],
    /// How many objects came along on the way.
    depth: usize,
}

struct View<'v> {
    whole: &'v Whole,
    declared: &'v Declared,
    subgraph: &'v str,
}

impl<'v> View<'v> {
    fn ty(&self, name: &str) -> Option<&'v Type> {
        self.declared.subgraphs[self.subgraph].get(name)
    }

    fn entities(&self) -> Value {
        let mut entities = Map::new();
        for (name, ty) in &self.declared.subgraphs[self.subgraph] {
            let all = self.whole.data["entities"].as_object().into_iter().flatten();
            let records = all
                .filter(|(object, _)| self.stands_for(object, name, ty))
                .flat_map(|(object, records)| {
                    records
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(move |one| (object, one))
                });
            let records: Vec<Value> = records
                .filter_map(|(object, record)| self.entity(name, ty, object, record))
                .collect();
            if !records.is_empty() {
                entities.insert(name.clone(), records.into());
            }
        }
        entities.into()
    }

    /// Whether entities of an object type can be asked for under this name here.
    fn stands_for(&self, object: &str, name: &str, ty: &Type) -> bool {
        match ty.kind {
            Kind::Object if ty.interface_object => self.declared.is(object, name),
            Kind::Object => object == name,
            Kind::Interface => ty.keyed && self.declared.is(object, name),
            Kind::Union => false,
        }
    }

    fn entity(&self, name: &str, ty: &Type, object: &str, record: &Value) -> Option<Value> {
        if ty.kind == Kind::Object {
            return Some(self.fields(name, ty, record, Along::default()));
        }
        let mut fields = self.fields(object, self.ty(object)?, record, Along::default());
        fields["__typename"] = object.into();
        Some(fields)
    }

    /// The fields of an object that are resolved here, and those that come along.
    fn fields(&self, name: &str, ty: &Type, record: &Value, provided: Along<'_>) -> Value {
        let mut fields = self.provided(name, record, provided);
        for special in [NUMBER, "__typename"] {
            if let Some(value) = record.get(special) {
                fields.insert(special.to_owned(), value.clone());
            }
        }
        for (name_of_field, field) in ty.resolved() {
            let Some(value) = record.get(name_of_field) else {
                continue;
            };
            if fields.contains_key(name_of_field) {
                continue;
            }
            let along = Along {
                selection: &field.provides,
                depth: 0,
            };
            let mut value = self.value(value, &field.named, along);
            if !field.requires.is_empty() {
                let promised = picked::object(self.whole, self.declared, name, record, &field.requires);
                value = json!({ "$promised": promised, "value": value });
            }
            fields.insert(name_of_field.clone(), value);
        }
        fields.into()
    }

    /// Fields of an object that come along with it.
    fn provided(&self, name: &str, record: &Value, provided: Along<'_>) -> Map<String, Value> {
        let mut along = Map::new();
        for (field, below) in picked::fields(self.declared, name, provided.selection) {
            let here = self.ty(name).and_then(|ty| ty.fields.get(&*field.name));
            let (Some(value), Some(here)) = (record.get(field.name.as_str()), here) else {
                continue;
            };
            // What comes along brings along what its field always does.
            let own = here.provides.iter().filter(|_| provided.depth < DEPTH).cloned();
            let below: Vec<Selection> = below.into_iter().chain(own).collect();
            let below = Along {
                selection: &below,
                depth: provided.depth + 1,
            };
            along.insert(field.name.to_string(), self.value(value, &here.named, below));
        }
        along
    }

    /// A value of a declared type.
    fn value(&self, value: &Value, declared: &str, provided: Along<'_>) -> Value {
        match value {
            Value::Array(items) => items
                .iter()
                .map(|item| self.value(item, declared, provided))
                .collect(),
            Value::Object(fields) if fields.contains_key("$entity") => {
                self.reference(value, declared, provided)
            }
            Value::Object(fields) if fields.contains_key("$switch") => {
                let mut fields = fields.clone();
                for case in fields["cases"].as_object_mut().into_iter().flatten() {
                    *case.1 = self.value(case.1, declared, provided);
                }
                fields.into()
            }
            Value::Object(fields) if self.ty(declared).is_some() && !is_program(fields) => {
                let name = fields
                    .get("__typename")
                    .and_then(Value::as_str)
                    .unwrap_or(declared);
                match self.ty(name) {
                    Some(ty) => self.fields(name, ty, value, provided),
                    None => Value::Null,
                }
            }
            leaf => leaf.clone(),
        }
    }

    fn reference(&self, reference: &Value, declared: &str, provided: Along<'_>) -> Value {
        if self.ty(declared).is_some_and(|ty| ty.interface_object) {
            return json!({ "$entity": declared, NUMBER: reference[NUMBER] });
        }
        let name = reference["$entity"].as_str().unwrap_or_default();
        let (Some(_), Some(record)) = (self.ty(name), self.whole.record(reference)) else {
            return Value::Null;
        };
        let along = self.provided(name, record, provided);
        let mut reference = reference.clone();
        if !along.is_empty() {
            reference["$with"] = along.into();
        }
        reference
    }
}

/// Whether an object says how a value is made.
fn is_program(fields: &Map<String, Value>) -> bool {
    fields.keys().any(|name| name.starts_with('$'))
}

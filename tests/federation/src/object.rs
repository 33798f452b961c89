//! Resolves fields of a mock subgraph from its data.
//!
//! A field's value is plain JSON, or an object with one of these keys:
//!
//! * `$entity`: `{ "$entity": "Product", "id": "1" }` stands for the entity with these key values; fields in
//!   `$with` come along with it at this place (what `@provides` promises);
//! * `$error`: the field fails with this message;
//! * `$argument`: the value of this argument;
//! * `$switch`: `{ "$switch": "unit", "cases": { "KM": 1, "MI": 2 } }` chooses by an argument;
//! * `$given`: the values at these paths of the representation, joined with `-`; it is an error when one is
//!   missing or null (a subgraph with `@requires` relies on what it was promised);
//! * `$promised`: `{ "$promised": { "base": 5 }, "value": 6 }` gives the value if the representation holds all
//!   of this, nulls included, and is an error otherwise;
//! * `$echo`: this text, followed by the arguments of the call;
//! * `$around`: `{ "$around": "User", "field": "name", "text": "t" }` is what `$echo` would be with an argument `around`
//!   that has the value of this field of the nearest enclosing object of this type;
//! * `$empty`: `{ "$empty": "author", "value": 1 }` is the value if the representation holds an object without
//!   members at this path (a required selection none of whose fragments matched);
//! * `$next`: a number that grows by one with each use, by name, over all subgraphs of the case;
//! * `$add`, `$multiply`, `$set`: `{ "$add": "sum", "by": "n" }` changes such a number by the argument `n`
//!   (or by a literal number);
//! * `$once`: `{ "$once": "order", "value": 1 }` fails when it is asked a second time in one operation of the
//!   case, in whichever subgraph. An entity with `"$once": true` can be entered once by each subgraph.
//!
//! An object of the query type has the fields of the subgraph's `Query`, wherever it stands.
//!
//! A field without a value must not be asked here: that is an error too.
use std::sync::Arc;

use apollo_compiler::ast::OperationType;
use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use serde_json::Value;

use crate::server::Subgraph;

/// An object at some place of the data.
pub struct Object<'a> {
    pub subgraph: &'a Subgraph,
    pub type_name: String,
    pub fields: &'a Value,
    /// Fields that only this place has.
    pub with: Option<&'a Value>,
    pub representation: Option<&'a Value>,
    /// The object that it stands in.
    pub above: Option<Arc<Above<'a>>>,
}

/// An enclosing object.
pub struct Above<'a> {
    type_name: String,
    fields: &'a Value,
    above: Option<Arc<Above<'a>>>,
}

impl ObjectValue for Object<'_> {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let name = info.field_name();
        if let Some(message) = self.fields.get("$error").and_then(Value::as_str) {
            return Err(error(message.to_owned()));
        }
        let with = self.with.and_then(|with| with.get(name));
        let Some(value) = with.or_else(|| self.fields.get(name)) else {
            return Err(error(format!(
                "{}.{name} must not be asked of {}",
                self.type_name, self.subgraph.name
            )));
        };
        self.resolve(value, info)
    }
}

impl<'d> Object<'d> {
    fn resolve<'a>(
        &'a self,
        value: &'a Value,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let arguments = serde_json::to_value(info.arguments()).expect("arguments are JSON");
        if let Some(message) = value.get("$error") {
            return Err(error(message.as_str().unwrap_or("error").to_owned()));
        }
        if let Some(name) = value.get("$argument").and_then(Value::as_str) {
            return Ok(leaves(&arguments[name]));
        }
        if let Some(name) = value.get("$switch").and_then(Value::as_str) {
            let given = arguments[name]
                .as_str()
                .map_or_else(|| arguments[name].to_string(), str::to_owned);
            let case = value["cases"].get(&given);
            return self.resolve(
                case.ok_or_else(|| error(format!("no case for {name}: {given}")))?,
                info,
            );
        }
        if let Some(paths) = value.get("$given").and_then(Value::as_array) {
            let texts: Result<Vec<String>, FieldError> = paths.iter().map(|path| self.given(path)).collect();
            return Ok(leaf(&Value::String(texts?.join("-"))));
        }
        if let Some(promised) = value.get("$promised") {
            let given = self.representation.unwrap_or(&Value::Null);
            if !contains(given, promised) {
                let name = info.field_name();
                let type_name = &self.type_name;
                let message = format!("{type_name}.{name}: {promised} was promised, {given} was given");
                return Err(error(message));
            }
            return self.resolve(&value["value"], info);
        }
        if let Some(text) = value.get("$echo").and_then(Value::as_str) {
            return Ok(leaf(&Value::String(format!("{text} {arguments}"))));
        }
        if let Some(of) = value.get("$around").and_then(Value::as_str) {
            let around = self.around(of, value["field"].as_str().unwrap_or_default());
            let text = value["text"].as_str().unwrap_or_default();
            return Ok(leaf(&format!("{text} {{\"around\":{around}}}").into()));
        }
        if let Some(path) = value.get("$empty").and_then(Value::as_str) {
            let object = self.promised(path).as_object();
            let empty = object.is_some_and(|members| members.keys().all(|name| name == "__typename"));
            if !empty {
                return Err(error(format!("{}: {path} is no empty object", self.type_name)));
            }
            return self.resolve(&value["value"], info);
        }
        if let Some(number) = self.number(value, &arguments) {
            return Ok(leaf(&number.into()));
        }
        if let Some(what) = value.get("$once").and_then(Value::as_str) {
            if !self.subgraph.first(what) {
                return Err(error(format!("{what} was asked a second time")));
            }
            return self.resolve(&value["value"], info);
        }
        self.plain(value, info)
    }

    fn as_above(&self) -> Arc<Above<'d>> {
        Arc::new(Above {
            type_name: self.type_name.clone(),
            fields: self.fields,
            above: self.above.clone(),
        })
    }

    /// A field of the nearest enclosing object of a type.
    fn around(&self, of: &str, field: &str) -> &'d Value {
        let mut above = self.above.as_ref();
        while let Some(object) = above.filter(|object| object.type_name != of) {
            above = object.above.as_ref();
        }
        above.map_or(&Value::Null, |object| &object.fields[field])
    }

    /// The new value of a number that a field changes.
    fn number(&self, value: &Value, arguments: &Value) -> Option<i64> {
        let named = |key: &str| value.get(key).and_then(Value::as_str);
        let by = value["by"]
            .as_i64()
            .or_else(|| arguments[value["by"].as_str()?].as_i64())
            .unwrap_or_default();
        let next = |name| self.subgraph.change(name, |number| number + 1);
        let add = |name| self.subgraph.change(name, |number| number + by);
        let multiply = |name| self.subgraph.change(name, |number| number * by);
        let set = |name| self.subgraph.change(name, |_| by);
        named("$next")
            .map(next)
            .or_else(|| named("$add").map(add))
            .or_else(|| named("$multiply").map(multiply))
            .or_else(|| named("$set").map(set))
    }

    fn plain<'a>(
        &'a self,
        value: &'a Value,
        info: &'a ResolveInfo<'a>,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let declared = info.field_definition().ty.inner_named_type();
        match value {
            Value::Array(items) => Ok(ResolvedValue::List(Box::new(
                items.iter().map(move |item| self.resolve(item, info)),
            ))),
            Value::Object(fields) if !is_leaf(info, declared) => {
                let named = |key: &str| fields.get(key).and_then(Value::as_str);
                let type_name = named("$entity")
                    .or(named("__typename"))
                    .unwrap_or(declared)
                    .to_owned();
                let entity = named("$entity").map(|_| self.subgraph.entity(&type_name, value));
                let representation = self.representation.filter(|_| entity.is_none());
                let Some(fields) = entity.unwrap_or(Some(value)) else {
                    return Ok(leaf(&Value::Null));
                };
                let query = info.schema().root_operation(OperationType::Query);
                let fields = match query {
                    Some(query) if **query == *type_name => &self.subgraph.data[&type_name],
                    _ => fields,
                };
                let type_name = fields
                    .get("__typename")
                    .and_then(Value::as_str)
                    .map_or(type_name, str::to_owned);
                Ok(ResolvedValue::Object(Box::new(Object {
                    subgraph: self.subgraph,
                    type_name,
                    fields,
                    with: value.get("$with"),
                    representation,
                    above: Some(self.as_above()),
                })))
            }
            other => Ok(leaf(other)),
        }
    }

    /// The value at a path of the representation.
    fn promised(&self, path: &str) -> &'d Value {
        let mut value = self.representation.unwrap_or(&Value::Null);
        for name in path.split('.') {
            value = match name.parse::<usize>() {
                Ok(index) => &value[index],
                Err(_) => &value[name],
            };
        }
        value
    }

    fn given(&self, path: &Value) -> Result<String, FieldError> {
        let path = path.as_str().unwrap_or_default();
        match self.promised(path) {
            Value::Null => Err(error(format!(
                "{}: {path} was promised and not given",
                self.type_name
            ))),
            Value::String(text) => Ok(text.clone()),
            other => Ok(other.to_string()),
        }
    }
}

/// Whether all of `promised` is in `given`.
fn contains(given: &Value, promised: &Value) -> bool {
    match (given, promised) {
        (Value::Object(given), Value::Object(promised)) => promised
            .iter()
            .all(|(name, value)| given.get(name).is_some_and(|given| contains(given, value))),
        (Value::Array(given), Value::Array(promised)) => {
            let mut pairs = given.iter().zip(promised);
            given.len() == promised.len() && pairs.all(|(given, promised)| contains(given, promised))
        }
        (given, promised) => given == promised,
    }
}

fn is_leaf(info: &ResolveInfo<'_>, name: &str) -> bool {
    let definition = info.schema().types.get(name);
    definition.is_some_and(|definition| definition.is_scalar() || definition.is_enum())
}

/// A leaf, or (nested) lists of them.
fn leaves<'a>(value: &Value) -> ResolvedValue<'a> {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| Ok(leaves(item))).collect();
            ResolvedValue::List(Box::new(items.into_iter()))
        }
        single => leaf(single),
    }
}

fn leaf<'a>(value: &Value) -> ResolvedValue<'a> {
    let text = serde_json::to_string(value).expect("JSON can be written");
    ResolvedValue::Leaf(serde_json::from_str::<JsonValue>(&text).expect("JSON can be read"))
}

pub fn error(message: String) -> FieldError {
    FieldError { message }
}

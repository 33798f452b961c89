//! Coercion of variable values. <https://spec.graphql.org/October2021/#sec-Coercing-Variable-Values>
use apollo_compiler::ast::{Type, Value as Literal};
use apollo_compiler::schema::{EnumType, ExtendedType, InputObjectType};
use apollo_compiler::{Name, Schema};
use serde_json::{Map, Value};

use super::Operation;
use crate::supergraph::Supergraph;

/// A variable has no value of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Variable \"${variable}\" got an invalid value{}: {reason}", at(path))]
pub struct CoercionError {
    /// Name of the variable, without `$`.
    pub variable: String,
    /// Fields and indexes inside of the value, as `.items[0].name`.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

fn at(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" at \"{path}\"")
    }
}

impl Operation {
    /// Coerces the request's variables: defaults applied, unknown names dropped, all errors at once.
    pub fn coerce_variables(
        &self,
        sg: &Supergraph,
        given: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Vec<CoercionError>> {
        let mut coerced = Map::new();
        let mut all = Vec::new();
        for definition in &self.operation.variables {
            let name = definition.name.as_str();
            let mut coercion = Coercion {
                schema: sg.api_schema(),
                variable: name,
                errors: Vec::new(),
            };
            let value = match (given.get(name), &definition.default_value) {
                (Some(value), _) => coercion.value(&definition.ty, value, ""),
                (None, Some(default)) => coercion.value(&definition.ty, &from_literal(default), ""),
                (None, None) if definition.ty.is_non_null() => {
                    coercion.fail("", format!("a value of type \"{}\" is required", definition.ty));
                    Value::Null
                }
                (None, None) => continue,
            };
            all.append(&mut coercion.errors);
            coerced.insert(name.to_owned(), value);
        }
        if all.is_empty() { Ok(coerced) } else { Err(all) }
    }
}

/// A literal without variables as JSON.
pub(crate) fn from_literal(literal: &Literal) -> Value {
    match literal {
        Literal::Null | Literal::Variable(_) => Value::Null,
        Literal::Enum(name) => Value::String(name.to_string()),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Boolean(value) => Value::Bool(*value),
        Literal::Int(value) => number(value.as_str()),
        Literal::Float(value) => number(value.as_str()),
        Literal::List(items) => Value::Array(items.iter().map(|i| from_literal(i)).collect()),
        Literal::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(n, v)| (n.to_string(), from_literal(v)))
                .collect(),
        ),
    }
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

struct Coercion<'a> {
    schema: &'a Schema,
    variable: &'a str,
    errors: Vec<CoercionError>,
}

impl Coercion<'_> {
    fn fail(&mut self, path: &str, reason: String) {
        self.errors.push(CoercionError {
            variable: self.variable.to_owned(),
            path: path.to_owned(),
            reason,
        });
    }

    fn value(&mut self, ty: &Type, value: &Value, path: &str) -> Value {
        if value.is_null() {
            if ty.is_non_null() {
                self.fail(path, format!("null is not allowed for type \"{ty}\""));
            }
            return Value::Null;
        }
        match ty {
            Type::List(item) | Type::NonNullList(item) => match value {
                Value::Array(items) => {
                    let coerce = |(i, v)| self.value(item, v, &format!("{path}[{i}]"));
                    Value::Array(items.iter().enumerate().map(coerce).collect())
                }
                single => Value::Array(vec![self.value(item, single, path)]),
            },
            Type::Named(name) | Type::NonNullNamed(name) => self.named(name, value, path),
        }
    }

    fn named(&mut self, name: &Name, value: &Value, path: &str) -> Value {
        match self.schema.types.get(name) {
            Some(ExtendedType::InputObject(def)) => return self.input(&def.clone(), value, path),
            Some(ExtendedType::Enum(def)) => self.enumeration(&def.clone(), value, path),
            _ => self.scalar(name, value, path),
        }
        value.clone()
    }

    fn scalar(&mut self, name: &Name, value: &Value, path: &str) {
        let fits = match name.as_str() {
            "Int" => whole(value).is_some_and(|n| i32::try_from(n).is_ok()),
            "Float" => value.is_number(),
            "String" => value.is_string(),
            "Boolean" => value.is_boolean(),
            "ID" => value.is_string() || value.is_i64() || value.is_u64(),
            _ => true,
        };
        if !fits {
            self.fail(
                path,
                format!("{} is not a value of type \"{name}\"", brief(value)),
            );
        }
    }

    fn enumeration(&mut self, def: &EnumType, value: &Value, path: &str) {
        if !value.as_str().is_some_and(|v| def.values.contains_key(v)) {
            self.fail(
                path,
                format!("{} is not a value of the enum \"{}\"", brief(value), def.name),
            );
        }
    }

    fn input(&mut self, def: &InputObjectType, value: &Value, path: &str) -> Value {
        let Some(object) = value.as_object() else {
            self.fail(
                path,
                format!("{} is not an object of type \"{}\"", brief(value), def.name),
            );
            return Value::Null;
        };
        for key in object.keys().filter(|k| !def.fields.contains_key(k.as_str())) {
            self.fail(
                path,
                format!("field \"{key}\" is not defined by type \"{}\"", def.name),
            );
        }
        let mut out = Map::new();
        for (name, field) in &def.fields {
            let inside = format!("{path}.{name}");
            match (object.get(name.as_str()), &field.default_value) {
                (Some(value), _) => _ = out.insert(name.to_string(), self.value(&field.ty, value, &inside)),
                (None, Some(default)) => {
                    out.insert(
                        name.to_string(),
                        self.value(&field.ty, &from_literal(default), &inside),
                    );
                }
                (None, None) if field.ty.is_non_null() => {
                    self.fail(&inside, format!("a value of type \"{}\" is required", field.ty));
                }
                (None, None) => {}
            }
        }
        if def.directives.iter().any(|d| d.name == "oneOf")
            && (out.len() != 1 || out.values().any(Value::is_null))
        {
            self.fail(
                path,
                format!(
                    "exactly one field of \"{}\" must be given, and not null",
                    def.name
                ),
            );
        }
        Value::Object(out)
    }
}

/// An integer, also written as `1.0`.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        value
            .as_f64()
            .filter(|f| f.fract() == 0.0 && f.abs() < 1e15)
            .map(|f| f as i64)
    })
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        text
    } else {
        format!("{}…", text.chars().take(60).collect::<String>())
    }
}

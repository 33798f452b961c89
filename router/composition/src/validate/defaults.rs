//! A default value must be a value of its type, and what is required cannot be deprecated.
//!
//! <https://spec.graphql.org/draft/#sec-Values-of-Correct-Type>, <https://spec.graphql.org/draft/#sec--deprecated>

use apollo_compiler::ast::{Type, Value};

use super::Report;
use crate::model::{Input, Kind, Model, TypeDef};

/// Checks the defaults of all arguments and input fields.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model.types.values() {
        for field in ty.fields.values() {
            for arg in field.args.values() {
                check_one(report, &format!("{}.{}({}:)", ty.name, field.name, arg.name), arg);
            }
        }
        for input in ty.inputs.values() {
            check_one(report, &format!("{}.{}", ty.name, input.name), input);
        }
    }
}

fn check_one(report: &mut Report<'_>, coordinate: &str, input: &Input) {
    if input.required() && input.from_context.is_none() && input.marks.deprecated.is_some() {
        let message = format!(
            "\"{coordinate}\" is required, so it cannot be deprecated: make it nullable or give it a default first."
        );
        report.error("INVALID_GRAPHQL", input.place, message);
    }
    let Some(default) = &input.default else { return };
    if !is_of_type(report.model, default, &input.ty) {
        let message = format!(
            "Invalid default value (got: {}) provided for \"{coordinate}\" of type \"{}\": write a value of that type.",
            default.serialize().no_indent(),
            input.ty
        );
        report.error("INVALID_GRAPHQL", input.place, message);
    }
}

/// Whether a value can be coerced to a type.
fn is_of_type(model: &Model, value: &Value, ty: &Type) -> bool {
    if value.is_null() {
        return !ty.is_non_null();
    }
    if ty.is_list() {
        return match value {
            Value::List(items) => items.iter().all(|item| is_of_type(model, item, ty.item_type())),
            one => is_of_type(model, one, ty.item_type()),
        };
    }
    let name = ty.inner_named_type();
    match name.as_str() {
        "Int" => value.to_i32().is_some(),
        "Float" => matches!(value, Value::Int(_) | Value::Float(_)),
        "String" => matches!(value, Value::String(_)),
        "Boolean" => matches!(value, Value::Boolean(_)),
        "ID" => matches!(value, Value::String(_) | Value::Int(_)),
        _ => model
            .types
            .get(name)
            .is_none_or(|ty| is_of_named(model, value, ty)),
    }
}

fn is_of_named(model: &Model, value: &Value, ty: &TypeDef) -> bool {
    match (ty.kind, value) {
        (Kind::Enum, Value::Enum(name)) => ty.values.contains_key(name),
        // Some servers print the names of enum values as strings.
        (Kind::Enum, Value::String(text)) => ty.values.contains_key(text.as_str()),
        (Kind::Input, Value::Object(entries)) => {
            let given = |input: &Input| entries.iter().any(|(name, _)| *name == input.name);
            let complete = ty.inputs.values().all(|input| !input.required() || given(input));
            complete
                && entries.iter().all(|(name, value)| {
                    let input = ty.inputs.get(name);
                    input.is_some_and(|input| is_of_type(model, value, &input.ty))
                })
        }
        (Kind::Enum | Kind::Input, _) => false,
        _ => true,
    }
}

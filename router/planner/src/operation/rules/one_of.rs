//! A literal of a `@oneOf` input gives exactly one field, and that not null. What a variable there must be is in
//! [`super::usages`].
//! <https://spec.graphql.org/September2025/#sec-OneOf-Input-Objects>
use apollo_compiler::ast::Value;
use apollo_compiler::schema::InputObjectType;
use apollo_compiler::{Node, Schema};

use super::Errors;
use super::values::{Position, input};

/// Refuses such literals that give another number of fields.
pub(super) fn check(schema: &Schema, position: Position<'_>, value: &Node<Value>, errors: &mut Errors<'_>) {
    let Value::Object(given) = &**value else {
        return;
    };
    let input = position.ty.and_then(|ty| input(schema, ty));
    let Some(input) = input.filter(|input| input.directives.has("oneOf")) else {
        return;
    };
    if !matches!(&given[..], [(_, value)] if !value.is_null()) {
        errors.report(value.location(), message(input));
    }
}

/// What is said of one.
pub(super) fn message(input: &InputObjectType) -> String {
    format!(
        "exactly one field of \"{}\" must be given, and not null",
        input.name
    )
}

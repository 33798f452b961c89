//! A field of an input object is given once.
//! <https://spec.graphql.org/September2025/#sec-Input-Object-Field-Uniqueness>
use std::collections::HashSet;

use apollo_compiler::Node;
use apollo_compiler::ast::Value;

use super::Errors;

/// Refuses an object literal that gives a field again, whatever it stands for.
pub(super) fn check(value: &Node<Value>, errors: &mut Errors<'_>) {
    let Value::Object(fields) = &**value else {
        return;
    };
    let (mut known, mut told) = (HashSet::new(), HashSet::new());
    for (name, value) in fields {
        // Thousands of equal names are one mistake.
        if !known.insert(name) && told.insert(name) {
            let at = name.location().or_else(|| value.location());
            errors.report(at, format!("the input field \"{name}\" is given more than once"));
        }
    }
}

//! Fields of objects and interfaces.

use apollo_compiler::ast::Type;
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, FieldDefinition};
use apollo_compiler::{Name, Schema};

use super::Level::{Breaking, Dangerous, Safe};
use super::{Changes, inputs};

type Fields = IndexMap<Name, Component<FieldDefinition>>;

/// Compares the fields of one type.
pub(super) fn compare(changes: &mut Changes<'_>, ty: &Name, was: &Fields, is: &Fields) {
    for (name, field) in was {
        let coordinate = format!("{ty}.{name}");
        match is.get(name) {
            Some(now) => compare_one(changes, coordinate, field, now),
            None => {
                let deprecated = field.directives.has("deprecated");
                let note = if deprecated { " It was deprecated." } else { "" };
                let message = format!("Field \"{coordinate}\" was removed.{note}");
                changes.add(Breaking, "FIELD_REMOVED", coordinate, message);
            }
        }
    }
    for name in is.keys().filter(|name| !was.contains_key(*name)) {
        let coordinate = format!("{ty}.{name}");
        let message = format!("Field \"{coordinate}\" was added.");
        changes.add(Safe, "FIELD_ADDED", coordinate, message);
    }
}

fn compare_one(changes: &mut Changes<'_>, coordinate: String, was: &FieldDefinition, is: &FieldDefinition) {
    if was.ty != is.ty {
        let level = level(changes.after, &was.ty, &is.ty);
        let message = format!(
            "Type of field \"{coordinate}\" changed from \"{}\" to \"{}\".",
            was.ty, is.ty
        );
        changes.add(level, "FIELD_TYPE_CHANGED", coordinate.clone(), message);
    }
    if is.directives.has("deprecated") && !was.directives.has("deprecated") {
        let message = format!("Field \"{coordinate}\" is now deprecated.");
        changes.add(Safe, "FIELD_DEPRECATED", coordinate.clone(), message);
    }
    inputs::compare_arguments(changes, &coordinate, &was.arguments, &is.arguments);
}

/// Every value of the new type must be one of the old.
fn level(after: &Schema, was: &Type, is: &Type) -> super::Level {
    match (was, is) {
        (Type::Named(was), Type::Named(is) | Type::NonNullNamed(is))
        | (Type::NonNullNamed(was), Type::NonNullNamed(is)) => {
            if was == is {
                Safe
            } else if after.is_subtype(was, is) {
                Dangerous
            } else {
                Breaking
            }
        }
        (Type::List(was), Type::List(is) | Type::NonNullList(is))
        | (Type::NonNullList(was), Type::NonNullList(is)) => level(after, was, is),
        _ => Breaking,
    }
}

//! Which fields a subgraph's keys, requirements, provisions and interfaces use.

use apollo_compiler::Name;
use std::collections::HashSet;

use crate::fieldset::{FieldSet, targets};
use crate::model::{Coordinate, Field, Kind, Model, TypeDef};

/// Records the sets in the model.
pub(super) fn record(model: &mut Model) {
    let (mut used, mut provided) = (HashSet::new(), HashSet::new());
    let key_fields = key_fields(model);
    for ty in model.types.values() {
        for field in ty.fields.values() {
            add(model, ty, field.requires.as_ref(), &mut used);
            if let Some(base) = provided_type(model, field) {
                add(model, base, field.provides.as_ref(), &mut provided);
            }
        }
        used.extend(demanded_by_interface(model, ty));
        used.extend(selected_by_context(model, ty));
    }
    used.extend(key_fields.iter().cloned());
    used.extend(provided.iter().cloned());
    model.provided = provided;
    model.used = used;
    model.key_fields = key_fields;
}

/// All fields in keys, nested ones too.
pub(super) fn key_fields(model: &Model) -> HashSet<Coordinate> {
    let mut found = HashSet::new();
    for ty in model.types.values() {
        for key in &ty.keys {
            add(model, ty, Some(&key.set), &mut found);
        }
    }
    found
}

/// The type that a field's `@provides` selects on.
pub(super) fn provided_type<'m>(model: &'m Model, field: &Field) -> Option<&'m TypeDef> {
    model
        .types
        .get(field.ty.inner_named_type())
        .filter(|base| base.is_composite())
}

fn add(model: &Model, ty: &TypeDef, set: Option<&FieldSet>, into: &mut HashSet<Coordinate>) {
    let Some(set) = set else { return };
    targets(model, ty, set.selection(), true, &mut |ty, field: &Name| {
        into.insert((ty.name.clone(), field.clone()));
    });
}

/// Fields of an object that an interface of it has: GraphQL wants them there.
fn demanded_by_interface(model: &Model, ty: &TypeDef) -> Vec<Coordinate> {
    if ty.kind != Kind::Object {
        return Vec::new();
    }
    let interfaces = ty.implements.iter().filter_map(|name| model.types.get(name));
    let names = interfaces.flat_map(|interface| interface.fields.keys());
    names
        .filter(|field| ty.fields.contains_key(*field))
        .map(|field| (ty.name.clone(), field.clone()))
        .collect()
}

/// Fields of a `@context` type that some `@fromContext` may select: counted whole.
fn selected_by_context(model: &Model, ty: &TypeDef) -> Vec<Coordinate> {
    if ty.contexts.is_empty() {
        return Vec::new();
    }
    let all = model.runtime_types(ty).into_iter().chain([ty]);
    all.flat_map(|ty| ty.fields.keys().map(|field| (ty.name.clone(), field.clone())))
        .collect()
}

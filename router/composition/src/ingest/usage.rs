//! Which fields a subgraph's keys, requirements, provisions and interfaces use.

use apollo_compiler::ast::Value;
use apollo_compiler::{Name, Node};
use std::collections::HashSet;

use crate::fieldset::{FieldSet, targets};
use crate::merge::split_context;
use crate::model::{Coordinate, Field, Kind, Model, TypeDef};

/// Records the sets in the model.
pub(super) fn record(model: &mut Model) {
    let (mut used, mut provided) = (HashSet::new(), HashSet::new());
    let key_fields = key_fields(model);
    for ty in model.types.values() {
        for field in ty.fields.values() {
            add(model, ty, field.requires.as_ref(), &mut used);
            select_by_context(model, field, &mut used);
            if let Some(base) = provided_type(model, field) {
                add(model, base, field.provides.as_ref(), &mut provided);
            }
        }
        used.extend(demanded_by_interface(model, ty));
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

/// Fields that a `@fromContext` selects on the types that set its context.
fn select_by_context(model: &Model, field: &Field, used: &mut HashSet<Coordinate>) {
    let texts = field
        .args
        .values()
        .filter_map(|arg| Some((arg, arg.from_context.as_deref()?)));
    for (arg, (context, selection)) in texts.filter_map(|(arg, text)| Some((arg, split_context(text)?))) {
        let value = Node::new(Value::String(selection.to_owned()));
        let set = FieldSet::read(Some(&value), arg.place);
        let sets = |ty: &&TypeDef| ty.contexts.iter().any(|(name, _)| name == context);
        for ty in model.types.values().filter(sets) {
            for ty in model.runtime_types(ty).into_iter().chain([ty]) {
                add(model, ty, Some(&set), used);
            }
        }
    }
}

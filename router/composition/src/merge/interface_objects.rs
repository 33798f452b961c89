//! `@interfaceObject`: a subgraph adds fields to an interface, and so to all that implement it.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/entities/interfaces>

use apollo_compiler::Name;

use super::merged::{GraphId, JoinField, MField, MInput, MType, Merged};
use super::{Context, Sources};
use crate::model::{Field, Kind, TypeDef};

/// The fields that interface objects give to an object's field: (subgraph, field, it is in a key).
pub(super) fn abstracted<'a>(
    cx: &Context<'a>,
    object: &MType,
    field: &Name,
) -> Vec<(GraphId, &'a Field, bool)> {
    let mut found = Vec::new();
    for (graph, model) in cx.models.iter().enumerate() {
        if model.types.contains_key(&object.name) {
            continue;
        }
        let interfaces = object.implements.iter().filter_map(|name| model.types.get(name));
        for interface in interfaces.filter(|interface| interface.interface_object) {
            let given = interface.fields.get(field);
            if let Some(given) = given.filter(|given| !model.fully_external(&interface.name, given)) {
                let in_key = model
                    .key_fields
                    .contains(&(interface.name.clone(), field.clone()));
                found.push((graph, given, in_key));
            }
        }
    }
    found
}

/// A field of an interface object that an object lists as external only.
pub(super) fn lender<'a>(cx: &Context<'a>, object: &MType, field: &Name) -> Option<&'a Field> {
    abstracted(cx, object, field).first().map(|(_, field, _)| *field)
}

/// The subgraph of [`lender`].
pub(super) fn lender_graph(cx: &Context<'_>, object: &MType, field: &Name) -> Option<GraphId> {
    abstracted(cx, object, field).first().map(|(graph, ..)| *graph)
}

/// A subgraph with the interface object must not define implementations of the interface as well.
pub(super) fn check_subgraphs(cx: &mut Context<'_>, sources: &Sources<'_, TypeDef>, interface: &Name) {
    for (graph, ty) in sources.iter().filter(|(_, ty)| ty.interface_object) {
        let model = &cx.models[*graph];
        let local: Vec<String> = cx
            .lattice
            .implementations(interface)
            .filter(|object| model.types.contains_key(*object))
            .map(|object| format!("\"{object}\""))
            .collect();
        if !local.is_empty() {
            let message = format!(
                "[{}] Interface type \"{interface}\" is defined as an @interfaceObject in subgraph \"{}\" so that subgraph should not define any of the implementation types of \"{interface}\", but it defines {}.",
                model.name,
                model.name,
                local.join(", ")
            );
            cx.error("INTERFACE_OBJECT_USAGE_ERROR", *graph, ty.place, message);
        }
    }
}

/// Gives the implementations the fields that only an interface object has.
pub(super) fn add_fields(cx: &Context<'_>, merged: &mut Merged) {
    let mut additions: Vec<(Name, Name, MField)> = Vec::new();
    for object in merged.types.values().filter(|ty| ty.kind == Kind::Object) {
        for interface in object.implements.iter().filter_map(|name| merged.types.get(name)) {
            for (name, field) in &interface.fields {
                if !object.fields.contains_key(name) && is_given(cx, &interface.name, name) {
                    additions.push((object.name.clone(), name.clone(), added(field)));
                }
            }
        }
    }
    for (object, name, field) in additions {
        if let Some(object) = merged.types.get_mut(&object) {
            object.fields.entry(name).or_insert(field);
        }
    }
}

fn is_given(cx: &Context<'_>, interface: &Name, field: &Name) -> bool {
    cx.models.iter().any(|model| {
        let object = model.types.get(interface).filter(|ty| ty.interface_object);
        object
            .and_then(|ty| ty.fields.get(field))
            .is_some_and(|field| !field.external)
    })
}

fn added(field: &MField) -> MField {
    let argument = |arg: &MInput| MInput {
        joins: Vec::new(),
        ..arg.clone()
    };
    MField {
        args: field
            .args
            .iter()
            .map(|(name, arg)| (name.clone(), argument(arg)))
            .collect(),
        joins: vec![JoinField::default()],
        directives: Vec::new(),
        ..field.clone()
    }
}

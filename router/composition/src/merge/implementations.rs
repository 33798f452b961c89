//! In the supergraph, types must still implement their interfaces.
//!
//! <https://spec.graphql.org/draft/#IsValidImplementation()>

use apollo_compiler::Name;

use super::Context;
use super::merged::{MField, MType, Merged};

/// Checks every implementation of every interface.
pub(super) fn check(cx: &mut Context<'_>, merged: &Merged) {
    for ty in merged.types.values() {
        for interface in ty.implements.iter().filter_map(|name| merged.types.get(name)) {
            for (name, field) in &interface.fields {
                match ty.fields.get(name) {
                    Some(own) => check_field(cx, ty, interface, name, (own, field)),
                    None => report_missing(cx, ty, interface, name),
                }
            }
        }
    }
}

fn report_missing(cx: &mut Context<'_>, ty: &MType, interface: &MType, field: &Name) {
    let declaring: Vec<usize> = graphs_with(cx, |model| model.field(&interface.name, field).is_some());
    let implementing: Vec<usize> = graphs_with(cx, |model| {
        model
            .types
            .get(&ty.name)
            .is_some_and(|own| own.implements.contains(&interface.name))
    });
    if ty.fields.is_empty() {
        return; // Its fields have errors of their own.
    }
    let message = format!(
        "Interface field \"{}.{field}\" is declared in {} but type \"{}\", which implements \"{}\" only in {} does not have field \"{field}\".",
        interface.name,
        cx.names(&declaring),
        ty.name,
        interface.name,
        cx.names(&implementing)
    );
    let graph = implementing.first().copied().unwrap_or_default();
    let place = cx.models[graph].types.get(&ty.name).and_then(|own| own.place);
    cx.error("INTERFACE_FIELD_NO_IMPLEM", graph, place, message);
}

fn graphs_with(cx: &Context<'_>, test: impl Fn(&crate::model::Model) -> bool) -> Vec<usize> {
    cx.models
        .iter()
        .enumerate()
        .filter(|(_, model)| test(model))
        .map(|(graph, _)| graph)
        .collect()
}

fn check_field(
    cx: &mut Context<'_>,
    ty: &MType,
    interface: &MType,
    name: &Name,
    (own, theirs): (&MField, &MField),
) {
    if !cx.lattice.is_subtype(&theirs.ty, &own.ty) {
        let message = format!(
            "In the supergraph, field \"{}.{name}\" has type \"{}\" but interface field \"{}.{name}\" expects \"{}\": make the types agree in all subgraphs.",
            ty.name, own.ty, interface.name, theirs.ty
        );
        cx.error_at("INVALID_GRAPHQL", ty, Some(name), message);
    }
    for (arg, expected) in &theirs.args {
        if !own.args.get(arg).is_some_and(|given| given.ty == expected.ty) {
            let message = format!(
                "In the supergraph, interface field argument \"{}.{name}({arg}:)\" expected but \"{}.{name}\" does not provide it with type \"{}\".",
                interface.name, ty.name, expected.ty
            );
            cx.error_at("INVALID_GRAPHQL", ty, Some(name), message);
        }
    }
    for (arg, own_arg) in own.args.iter().filter(|(arg, _)| !theirs.args.contains_key(*arg)) {
        if own_arg.required() {
            let message = format!(
                "In the supergraph, field \"{}.{name}\" includes required argument \"{arg}\" that is missing from the interface field \"{}.{name}\".",
                ty.name, interface.name
            );
            cx.error_at("INVALID_GRAPHQL", ty, Some(name), message);
        }
    }
}

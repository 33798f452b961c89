//! What a subgraph says of a field that it does not resolve must agree with those that do.

use super::merged::MField;
use super::{Context, Sources};
use crate::model::Field;

/// Checks external definitions; says whether all types, the external ones too, are equal.
pub(super) fn check(
    cx: &mut Context<'_>,
    coordinate: &str,
    has: &Sources<'_, Field>,
    merged: &MField,
) -> bool {
    let mut equal = true;
    for (graph, field) in has.iter().filter(|(_, field)| field.external) {
        let who = cx.names(&[*graph]);
        if field.ty != merged.ty {
            equal = false;
            if !cx.lattice.is_subtype(&merged.ty, &field.ty) {
                let message = format!(
                    "Type of field \"{coordinate}\" is incompatible across subgraphs (where marked @external): it has type \"{}\" but \"{}\" in {who}.",
                    merged.ty, field.ty
                );
                cx.error("EXTERNAL_TYPE_MISMATCH", *graph, field.place, message);
            }
        }
        check_arguments(cx, coordinate, *graph, field, merged);
    }
    equal
}

fn check_arguments(cx: &mut Context<'_>, coordinate: &str, graph: usize, field: &Field, merged: &MField) {
    let who = cx.names(&[graph]);
    for (name, arg) in &merged.args {
        let Some(own) = field.args.get(name) else {
            if !arg.required() {
                continue; // Whoever requires the field need not give it.
            }
            let message = format!(
                "Field \"{coordinate}\" is missing argument \"{coordinate}({name}:)\" in {who} where it is marked @external: add it there."
            );
            cx.error("EXTERNAL_ARGUMENT_MISSING", graph, field.place, message);
            continue;
        };
        if own.ty != arg.ty && !cx.lattice.is_subtype(&own.ty, &arg.ty) {
            let message = format!(
                "Type of argument \"{coordinate}({name}:)\" is incompatible across subgraphs (where \"{coordinate}\" is marked @external): it has type \"{}\" but \"{}\" in {who}.",
                arg.ty, own.ty
            );
            cx.error("EXTERNAL_ARGUMENT_TYPE_MISMATCH", graph, own.place, message);
        }
        if own.default.is_some() && own.default != arg.default {
            let message = format!(
                "Argument \"{coordinate}({name}:)\" has incompatible defaults across subgraphs (where \"{coordinate}\" is marked @external in {who})."
            );
            cx.error("EXTERNAL_ARGUMENT_DEFAULT_MISMATCH", graph, own.place, message);
        }
    }
}

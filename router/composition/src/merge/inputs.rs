//! Input objects: the fields that all subgraphs have; a required one must be everywhere.

use apollo_compiler::Name;
use indexmap::IndexSet;

use super::arguments::{Codes, merge_input};
use super::merged::{GraphId, JoinField, MType};
use super::{Context, Sources};
use crate::model::{Input, TypeDef};

/// Merges the fields of one input object.
pub(super) fn merge(cx: &mut Context<'_>, sources: &Sources<'_, TypeDef>, merged: &mut MType) {
    let names: IndexSet<&Name> = sources.iter().flat_map(|(_, ty)| ty.inputs.keys()).collect();
    let codes = Codes {
        types: "FIELD_TYPE_MISMATCH",
        defaults: "INPUT_FIELD_DEFAULT_MISMATCH",
    };
    for name in names {
        let has: Sources<'_, Input> = sources
            .iter()
            .filter_map(|(graph, ty)| Some((*graph, ty.inputs.get(name)?)))
            .collect();
        let element = format!("input field \"{}.{name}\"", merged.name);
        let (mut field, equal) = merge_input(cx, &element, &codes, &has);
        let everywhere = has.len() == sources.len();
        if !everywhere && !field.marks.inaccessible {
            report_missing(cx, &element, name, sources, &has);
            continue;
        }
        if !everywhere || !equal {
            let ty = |input: &Input| (!equal).then(|| input.ty.clone());
            field.joins = has
                .iter()
                .map(|(graph, input)| JoinField {
                    graph: Some(*graph),
                    ty: ty(input),
                    ..Default::default()
                })
                .collect();
        }
        merged.inputs.insert(name.clone(), field);
    }
    check_one_of(cx, sources, merged);
    if merged.inputs.is_empty() {
        let message = format!(
            "None of the fields of input object type \"{}\" are consistently defined in all the subgraphs defining that type. As only fields common to all subgraphs are merged, this would result in an empty type.",
            merged.name
        );
        cx.error(
            "EMPTY_MERGED_INPUT_TYPE",
            sources[0].0,
            sources[0].1.place,
            message,
        );
    }
}

/// Of a `@oneOf` input exactly one field is given: none may be required or have a default. It is one in the supergraph
/// as soon as one subgraph says so, since that one refuses anything else.
fn check_one_of(cx: &mut Context<'_>, sources: &Sources<'_, TypeDef>, merged: &MType) {
    if !merged.one_of {
        return;
    }
    for (graph, ty) in sources.iter().filter(|(_, ty)| !ty.one_of) {
        for input in ty.inputs.values() {
            if merged.inputs.contains_key(&input.name) && (input.ty.is_non_null() || input.default.is_some())
            {
                let message = format!(
                    "Input object \"{}\" is @oneOf in another subgraph, so its field \"{}\" must be nullable and have no default value here either.",
                    merged.name, input.name
                );
                cx.error("INVALID_GRAPHQL", *graph, input.place, message);
            }
        }
    }
}

fn report_missing(
    cx: &mut Context<'_>,
    element: &str,
    name: &Name,
    sources: &Sources<'_, TypeDef>,
    has: &Sources<'_, Input>,
) {
    let missing: Vec<GraphId> = sources
        .iter()
        .filter(|(_, ty)| !ty.inputs.contains_key(name))
        .map(|(graph, _)| *graph)
        .collect();
    let required: Vec<GraphId> = has
        .iter()
        .filter(|(_, input)| input.required())
        .map(|(graph, _)| *graph)
        .collect();
    let element = element.replacen("input", "Input", 1);
    if let Some((graph, input)) = has.iter().find(|(_, input)| input.required()) {
        let message = format!(
            "{element} is required in some subgraphs but does not appear in all subgraphs: it is required in {} but does not appear in {}.",
            cx.names(&required),
            cx.names(&missing)
        );
        cx.error(
            "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
            *graph,
            input.place,
            message,
        );
        return;
    }
    let present: Vec<GraphId> = has.iter().map(|(graph, _)| *graph).collect();
    let message = format!(
        "{element} will not be added to the supergraph as it does not appear in all subgraphs: it is defined in {} but not in {}.",
        cx.names(&present),
        cx.names(&missing)
    );
    cx.hint(
        "INCONSISTENT_INPUT_OBJECT_FIELD",
        has[0].0,
        has[0].1.place,
        message,
    );
}

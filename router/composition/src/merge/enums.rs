//! Enums: the union of values where only answers use them, the intersection where only arguments do, and equal
//! ones where both do.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;

use super::merged::{GraphId, MType, MValue};
use super::{Context, Sources, description, marks};
use crate::model::{EnumValue, TypeDef};

/// Where an enum is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub input: bool,
    pub output: bool,
}

impl Context<'_> {
    /// Records that a type is used in an input or output position.
    pub(super) fn note_usage(&mut self, ty: &Type, input: bool) {
        let usage = self.usage.entry(ty.inner_named_type().clone()).or_default();
        if input {
            usage.input = true;
        } else {
            usage.output = true;
        }
    }
}

/// Merges the values of one enum; all fields and arguments are merged already, so its usage is known.
pub(super) fn merge(cx: &mut Context<'_>, sources: &Sources<'_, TypeDef>, merged: &mut MType) {
    let usage = cx.usage.get(&merged.name).copied().unwrap_or_default();
    if usage == Usage::default() {
        let message = format!(
            "Enum type \"{}\" is not used: it is merged as if only answers used it.",
            merged.name
        );
        cx.hint("UNUSED_ENUM_TYPE", sources[0].0, sources[0].1.place, message);
    }
    let names: indexmap::IndexSet<&Name> = sources.iter().flat_map(|(_, ty)| ty.values.keys()).collect();
    for name in names {
        let has: Sources<'_, EnumValue> = sources
            .iter()
            .filter_map(|(graph, ty)| Some((*graph, ty.values.get(name)?)))
            .collect();
        let value = merge_value(cx, merged, name, &has);
        if keep(cx, usage, name, sources, &value) {
            merged.values.insert(name.clone(), value);
        }
    }
    if merged.values.is_empty() {
        let message = format!(
            "None of the values of enum type \"{}\" are defined consistently in all the subgraphs defining that type. As only values common to all subgraphs are merged, this would result in an empty type.",
            merged.name
        );
        cx.error(
            "EMPTY_MERGED_ENUM_TYPE",
            sources[0].0,
            sources[0].1.place,
            message,
        );
    }
}

fn merge_value(cx: &mut Context<'_>, merged: &MType, name: &Name, has: &Sources<'_, EnumValue>) -> MValue {
    let element = format!("Enum value \"{}.{name}\"", merged.name);
    let texts: Vec<_> = has
        .iter()
        .map(|(graph, value)| (*graph, value.place, value.description.as_ref()))
        .collect();
    let marked: Vec<_> = has
        .iter()
        .map(|(graph, value)| (*graph, value.place, &value.marks))
        .collect();
    MValue {
        description: description::merge(cx, &element, &texts),
        marks: marks::merge(cx, &element, &marked),
        graphs: has.iter().map(|(graph, _)| *graph).collect(),
    }
}

/// Whether a value that is not in all subgraphs stays.
fn keep(
    cx: &mut Context<'_>,
    usage: Usage,
    name: &Name,
    sources: &Sources<'_, TypeDef>,
    value: &MValue,
) -> bool {
    let lacks = |(graph, _): &&(GraphId, &TypeDef)| !value.graphs.contains(graph);
    let missing: Vec<GraphId> = sources.iter().filter(lacks).map(|(graph, _)| *graph).collect();
    if missing.is_empty() || value.marks.inaccessible {
        return true;
    }
    let ty = &sources[0].1.name;
    let who = format!(
        "it is defined in {} but not in {}",
        cx.names(&value.graphs),
        cx.names(&missing)
    );
    let graph = value.graphs[0];
    let place = cx.models[graph]
        .types
        .get(ty)
        .and_then(|ty| ty.values.get(name))
        .and_then(|value| value.place);
    if usage.input && usage.output {
        let message = format!(
            "Enum type \"{ty}\" is used as both input type and output type, but value \"{ty}.{name}\" is not defined in all the subgraphs defining \"{ty}\": {who}."
        );
        cx.error("ENUM_VALUE_MISMATCH", graph, place, message);
        return true;
    }
    if usage.input {
        let message = format!(
            "Enum value \"{ty}.{name}\" will not be part of the supergraph, as only arguments use the type: {who}."
        );
        cx.hint("INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM", graph, place, message);
        return false;
    }
    let message = format!("Enum value \"{ty}.{name}\" is not in all subgraphs: {who}.");
    cx.hint("INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM", graph, place, message);
    true
}

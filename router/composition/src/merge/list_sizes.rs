//! `@listSize(slicingArguments:)` after merging: only arguments that the supergraph has can be counted on.
//!
//! <https://ibm.github.io/graphql-specs/cost-spec.html#sec-The-List-Size-Directive>

use apollo_compiler::Name;

use super::merged::{MField, MType};
use super::{Context, Sources};
use crate::model::Field;

/// Drops slicing arguments that were not merged.
pub(super) fn prune(
    cx: &mut Context<'_>,
    (parent, name): (&MType, &Name),
    sources: &Sources<'_, Field>,
    field: &mut MField,
) {
    let args = &field.args;
    let Some(slicing) = field
        .marks
        .list_size
        .as_mut()
        .and_then(|size| size.slicing.as_mut())
    else {
        return;
    };
    if slicing.is_empty() {
        return;
    }
    slicing.retain(|arg| args.contains_key(arg.as_str()));
    if !slicing.is_empty() {
        return;
    }
    let wants = |(_, field): &&(usize, &Field)| field.marks.list_size.is_some();
    let (graph, own) = sources.iter().find(wants).unwrap_or(&sources[0]);
    let message = format!(
        "All arguments for @listSize(slicingArguments:) on field \"{}.{name}\" were disregarded: for an argument to be valid, it must be defined in every subgraph where the field exists.",
        parent.name
    );
    cx.error("LIST_SIZE_INVALID_SLICING_ARGUMENT", *graph, own.place, message);
}

//! The type of a field, argument or input field, where subgraphs declare it differently.
//!
//! Outputs take the most general type, inputs the most specific; otherwise they do not merge.

use apollo_compiler::ast::Type;

use super::Context;
use super::merged::GraphId;
use crate::model::Place;

/// What is merged, for the message and its code.
pub(super) struct Reference<'a> {
    pub element: &'a str,
    pub code: &'static str,
    /// Input positions take the most specific type.
    pub input: bool,
}

/// The merged type and whether all subgraphs agree on it.
pub(super) fn merge(
    cx: &mut Context<'_>,
    reference: &Reference<'_>,
    sources: &[(GraphId, Place, &Type)],
) -> (Type, bool) {
    let (mut merged, mut equal) = (sources[0].2.clone(), true);
    let mut incompatible = false;
    for (_, _, ty) in &sources[1..] {
        if merged == **ty {
            continue;
        }
        equal = false;
        let (below, above) = (
            cx.lattice.is_subtype(&merged, ty),
            cx.lattice.is_subtype(ty, &merged),
        );
        if !below && !above {
            incompatible = true;
        } else if below == reference.input {
            merged = (*ty).clone();
        }
    }
    for (_, _, ty) in sources {
        cx.note_usage(ty, reference.input);
    }
    if incompatible {
        report_mismatch(cx, reference, sources);
    } else if !equal {
        hint_difference(cx, reference, sources, &merged);
    }
    (merged, equal)
}

fn report_mismatch(cx: &mut Context<'_>, reference: &Reference<'_>, sources: &[(GraphId, Place, &Type)]) {
    let first = sources[0].2;
    let by_type = describe(cx, sources);
    let other = sources
        .iter()
        .find(|(_, _, ty)| *ty != first)
        .unwrap_or(&sources[0]);
    let message = format!(
        "Type of {} is incompatible across subgraphs: it has {by_type}.",
        reference.element
    );
    cx.error(reference.code, other.0, other.1, message);
}

fn hint_difference(
    cx: &mut Context<'_>,
    reference: &Reference<'_>,
    sources: &[(GraphId, Place, &Type)],
    merged: &Type,
) {
    let by_type = describe(cx, sources);
    let other = sources
        .iter()
        .find(|(_, _, ty)| *ty != merged)
        .unwrap_or(&sources[0]);
    let code = if reference.code == "FIELD_TYPE_MISMATCH" {
        "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE"
    } else {
        "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE"
    };
    let message = format!(
        "Type of {} is inconsistent but compatible across subgraphs: it has {by_type}; the supergraph uses \"{merged}\".",
        reference.element
    );
    cx.hint(code, other.0, other.1, message);
}

/// `type "A" in subgraph "x" and type "B" in subgraph "y"`.
fn describe(cx: &Context<'_>, sources: &[(GraphId, Place, &Type)]) -> String {
    let mut groups: Vec<(&Type, Vec<GraphId>)> = Vec::new();
    for (graph, _, ty) in sources {
        match groups.iter_mut().find(|(known, _)| known == ty) {
            Some((_, graphs)) => graphs.push(*graph),
            None => groups.push((ty, vec![*graph])),
        }
    }
    let parts: Vec<String> = groups
        .iter()
        .map(|(ty, graphs)| format!("type \"{ty}\" in {}", cx.names(graphs)))
        .collect();
    parts.join(" but ")
}

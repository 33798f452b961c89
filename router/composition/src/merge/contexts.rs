//! `@context` and `@fromContext`: arguments that the router fills from an enclosing object.
//!
//! <https://specs.apollo.dev/join/v0.5/>

use std::collections::BTreeSet;

use super::merged::{ContextArg, GraphId, Merged};
use crate::model::{Field, Model};

/// The contextual arguments of a field in one subgraph.
pub(super) fn context_args(model: &Model, field: &Field) -> Vec<ContextArg> {
    let args = field
        .args
        .values()
        .filter_map(|arg| Some((arg, split(arg.from_context.as_deref()?)?)));
    args.map(|(arg, (context, selection))| ContextArg {
        name: arg.name.to_string(),
        ty: arg.ty.to_string(),
        context: format!("{}__{context}", model.name),
        selection: selection.to_owned(),
    })
    .collect()
}

/// `$context { selection }` → context and selection.
pub(crate) fn split(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_start().strip_prefix('$')?;
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    let (context, selection) = rest.split_at(end);
    (!context.is_empty() && !selection.trim().is_empty()).then_some((context, selection))
}

/// Notes which newer parts of the join specification the supergraph needs.
pub(super) fn note(merged: &mut Merged) {
    let fields = || merged.types.values().flat_map(|ty| ty.fields.values());
    let joins = || fields().flat_map(|field| &field.joins);
    let has_context = joins().any(|join| !join.context_args.is_empty());
    let has_labels = joins().any(|join| join.label.is_some());
    let declared = merged.types.values().any(|ty| !ty.contexts.is_empty());
    let own = merged.types.values().flat_map(|ty| &ty.directives);
    let carried: BTreeSet<GraphId> = own
        .chain(fields().flat_map(|field| &field.directives))
        .map(|directive| directive.graph)
        .collect();
    merged.has_context = has_context || declared;
    merged.has_labels = has_labels;
    merged.carried = carried.into_iter().collect();
}

//! Which errors of a later stage stand on their own, when an earlier stage has found some already.
//!
//! One run reports as much as is meaningful. What is wrong about a type in one stage may be the only cause of what is
//! wrong about it in the next; telling both would send its author looking for two mistakes. So an error is kept where
//! no earlier one touches its type, and, while some subgraph could not even be read, only if whatever that one
//! says cannot take it back. A plain disagreement between two subgraphs follows from nothing else: it always stays.

use std::collections::BTreeSet;

use crate::diagnostics::Diagnostic;
use crate::model::Model;

/// Disagreements between two subgraphs that a further one cannot settle.
const LASTING: &[&str] = &[
    "EMPTY_MERGED_ENUM_TYPE",
    "EMPTY_MERGED_INPUT_TYPE",
    "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
    "EXTERNAL_ARGUMENT_MISSING",
    "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
    "EXTERNAL_TYPE_MISMATCH",
    "FIELD_ARGUMENT_DEFAULT_MISMATCH",
    "FIELD_ARGUMENT_TYPE_MISMATCH",
    "FIELD_TYPE_MISMATCH",
    "INPUT_FIELD_DEFAULT_MISMATCH",
    "LINK_IMPORT_NAME_MISMATCH",
    "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
    "OVERRIDE_FROM_SELF_ERROR",
    "OVERRIDE_LABEL_INVALID",
    "OVERRIDE_SOURCE_HAS_OVERRIDE",
    "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
    "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
    "TYPE_KIND_MISMATCH",
];

/// Adds to `errors` those of `found` that do not follow from them; `complete`: every subgraph could be read.
pub(crate) fn add_independent(
    errors: &mut Vec<Diagnostic>,
    found: Vec<Diagnostic>,
    models: &[Model],
    complete: bool,
) {
    if errors.is_empty() && complete {
        errors.extend(found);
        return;
    }
    // Who may resolve a field says nothing of what it is.
    let telling = errors
        .iter()
        .filter(|error| error.code != "INVALID_FIELD_SHARING");
    let touched: BTreeSet<String> = telling.filter_map(|error| type_of(error, models)).collect();
    let untouched = |error: &Diagnostic| type_of(error, models).is_some_and(|ty| !touched.contains(&ty));
    let stands = |error: &Diagnostic| match error.code.as_str() {
        code if LASTING.contains(&code) => true,
        "INVALID_FIELD_SHARING" => untouched(error),
        "NO_QUERIES" => complete,
        _ => complete && untouched(error),
    };
    errors.extend(found.into_iter().filter(stands));
}

/// The type that an error is about.
fn type_of(error: &Diagnostic, models: &[Model]) -> Option<String> {
    let subgraph = error.subgraph.as_ref()?;
    let model = models.iter().find(|model| model.name == *subgraph)?;
    model
        .type_at(error.line?, error.column?)
        .map(|name| name.to_string())
}

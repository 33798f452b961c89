//! What `@key`, `@requires` and `@provides` have in common: their field set must be one.

use super::Report;
use super::selection::{Allowed, Problem, problems};
use crate::fieldset::FieldSet;
use crate::model::{Federation, TypeDef};

/// A directive with a field set, at one place.
pub(super) struct Use<'a> {
    /// The directive's name.
    pub directive: &'static str,
    /// Where it stands: a type or a field.
    pub on: String,
    pub set: &'a FieldSet,
    /// What the set selects on.
    pub ty: &'a TypeDef,
    pub allowed: Allowed,
}

/// Reports everything wrong with one field set.
pub(super) fn check(report: &mut Report<'_>, used: &Use<'_>) {
    let prefix = used.directive.to_uppercase();
    let head = format!(
        "On {}, for @{}(fields: \"{}\")",
        used.on, used.directive, used.set.raw
    );
    let place = used.set.place;
    if !used.set.is_string && report.model.version != Federation::One {
        let message = format!("{head}: Invalid value for argument \"fields\": must be a string.");
        report.error(&format!("{prefix}_INVALID_FIELDS_TYPE"), place, message);
        return;
    }
    if let Err(why) = &used.set.parsed {
        report.error(
            &format!("{prefix}_INVALID_FIELDS"),
            place,
            format!("{head}: {why}."),
        );
        return;
    }
    for problem in problems(report.model, used.ty, used.set.selection(), used.allowed) {
        let (code, why) = explain(used.directive, &prefix, problem);
        report.error(&code, place, format!("{head}: {why}."));
    }
}

fn explain(directive: &str, prefix: &str, problem: Problem) -> (String, String) {
    match problem {
        Problem::Invalid(why) => (format!("{prefix}_INVALID_FIELDS"), why),
        Problem::Arguments(field) => (
            format!("{prefix}_FIELDS_HAS_ARGS"),
            format!(
                "field {field} cannot be included because it has arguments (fields with argument are not allowed in @{directive})"
            ),
        ),
        Problem::Directives => (
            format!("{prefix}_DIRECTIVE_IN_FIELDS_ARG"),
            format!("cannot have directive applications in the @{directive}(fields:) argument"),
        ),
        Problem::Abstract(field, kind) => (
            format!("{prefix}_FIELDS_SELECT_INVALID_TYPE"),
            format!(
                "field \"{field}\" is a {} type which is not allowed in @{directive}",
                kind.describe()
            ),
        ),
        Problem::NotExternal(field) => (
            format!("{prefix}_FIELDS_MISSING_EXTERNAL"),
            format!(
                "field \"{field}\" should not be part of a @{directive} since it is already provided by this subgraph (it is not marked @external)"
            ),
        ),
    }
}

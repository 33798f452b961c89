//! `@context` and `@fromContext` must find each other.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#context>

use super::Report;
use crate::merge::split_context;
use crate::model::{Field, Input, TypeDef};

/// Checks all contexts.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model.types.values() {
        for (name, place) in &ty.contexts {
            if name.contains('_') {
                let message = format!("Context name \"{name}\" may not contain an underscore.");
                report.error("CONTEXT_NAME_CONTAINS_UNDERSCORE", *place, message);
            }
        }
        for field in ty.fields.values() {
            for arg in field.args.values() {
                check_argument(report, ty, field, arg);
            }
        }
    }
}

fn check_argument(report: &mut Report<'_>, ty: &TypeDef, field: &Field, arg: &Input) {
    let Some(text) = &arg.from_context else { return };
    let coordinate = format!("{}.{}({}:)", ty.name, field.name, arg.name);
    let Some((context, _)) = split_context(text) else {
        let message = format!(
            "@fromContext argument does not reference a context \"{text}\" on \"{coordinate}\": write \"$context {{ field }}\"."
        );
        report.error("NO_CONTEXT_REFERENCED", arg.place, message);
        return;
    };
    let is_set = report
        .model
        .types
        .values()
        .any(|ty| ty.contexts.iter().any(|(name, _)| name == context));
    if !is_set {
        let message = format!("Context \"{context}\" is used at location \"{coordinate}\" but is never set.");
        report.error("CONTEXT_NOT_SET", arg.place, message);
    }
    if arg.default.is_some() {
        let message = format!("@fromContext arguments may not have a default value: \"{coordinate}\".");
        report.error("CONTEXT_INVALID_SELECTION", arg.place, message);
    }
}

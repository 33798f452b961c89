//! `@requires` selects external fields of the same entity.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#requires>

use super::Report;
use super::field_sets::{self, Use};
use super::selection::Allowed;
use crate::model::Kind;

/// Checks all requirements.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model.types.values() {
        for field in ty.fields.values() {
            let Some(set) = &field.requires else { continue };
            let coordinate = format!("{}.{}", ty.name, field.name);
            if ty.kind == Kind::Interface {
                let message = format!(
                    "Cannot use @requires on field \"{coordinate}\" of parent type \"{}\": @requires is not yet supported within interfaces.",
                    ty.name
                );
                report.error("REQUIRES_UNSUPPORTED_ON_INTERFACE", set.place, message);
                continue;
            }
            let allowed = Allowed {
                arguments: true,
                abstract_fields: true,
                must_be_external: true,
            };
            let on = format!("field \"{coordinate}\"");
            field_sets::check(
                report,
                &Use {
                    directive: "requires",
                    on,
                    set,
                    ty,
                    allowed,
                },
            );
        }
    }
}

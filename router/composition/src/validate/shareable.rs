//! `@shareable` belongs on fields of objects, not of interfaces or of the subscription root.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#shareable>

use super::Report;
use crate::model::{Federation, Kind};

/// Checks all uses of `@shareable`.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    if model.version == Federation::One {
        return;
    }
    for ty in model.types.values() {
        for field in ty.fields.values().filter(|field| field.shareable) {
            if ty.kind == Kind::Interface {
                let message = format!(
                    "Invalid use of @shareable on field \"{}.{}\": only object type fields can be marked with @shareable.",
                    ty.name, field.name
                );
                report.error("INVALID_SHAREABLE_USAGE", field.place, message);
            } else if ty.name == "Subscription" {
                let message = format!(
                    "Fields on root level subscription object cannot be marked as shareable: remove @shareable from \"Subscription.{}\".",
                    field.name
                );
                report.error("INVALID_FIELD_SHARING", field.place, message);
            }
        }
    }
}

//! `@key` selects fields that identify an entity.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#key>

use super::Report;
use super::field_sets::{self, Use};
use super::selection::Allowed;
use crate::model::{Federation, Kind};

/// Checks all keys.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model.types.values() {
        for key in &ty.keys {
            if ty.kind == Kind::Interface && model.version < Federation::Two(3) {
                let message = format!(
                    "Cannot use @key on interface \"{}\": @key is not yet supported on interfaces before federation v2.3.",
                    ty.name
                );
                report.error("KEY_UNSUPPORTED_ON_INTERFACE", key.set.place, message);
                continue;
            }
            let allowed = Allowed {
                arguments: false,
                abstract_fields: false,
                must_be_external: false,
            };
            let on = format!("type \"{}\"", ty.name);
            field_sets::check(
                report,
                &Use {
                    directive: "key",
                    on,
                    set: &key.set,
                    ty,
                    allowed,
                },
            );
        }
    }
}

//! `@override` belongs on fields of real objects.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#override>

use super::Report;
use crate::model::{Federation, Kind};

/// Checks where `@override` stands.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model.types.values() {
        for field in ty.fields.values() {
            let Some(overriding) = &field.overrides else {
                continue;
            };
            let coordinate = format!("{}.{}", ty.name, field.name);
            if ty.kind == Kind::Interface {
                let message = format!(
                    "@override cannot be used on field \"{coordinate}\": @override is not supported on interface type fields."
                );
                report.error("OVERRIDE_ON_INTERFACE", overriding.place, message);
            }
            if ty.interface_object {
                let message = format!(
                    "@override is not yet supported on fields of @interfaceObject types: remove it from \"{coordinate}\"."
                );
                report.error("INTERFACE_OBJECT_USAGE_ERROR", overriding.place, message);
            }
            if overriding.label.is_some() && model.version < Federation::Two(7) {
                let message = format!(
                    "The \"label\" argument of @override on \"{coordinate}\" needs federation v2.7 or later."
                );
                report.error("OVERRIDE_LABEL_INVALID", overriding.place, message);
            }
        }
    }
}

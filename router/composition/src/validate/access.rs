//! Rights are asked for where something is resolved: an interface takes on what its implementations ask for.
//!
//! <https://www.apollographql.com/docs/graphos/routing/security/authorization>

use super::Report;
use crate::model::{Kind, Marks};

/// Refuses authorization directives on interfaces, their fields and interface objects.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model.types.values() {
        if ty.interface_object {
            refuse(
                report,
                &ty.marks,
                ty.place,
                &format!("interface object \"{}\"", ty.name),
            );
        }
        if ty.kind != Kind::Interface {
            continue;
        }
        refuse(report, &ty.marks, ty.place, &format!("interface \"{}\"", ty.name));
        for field in ty.fields.values() {
            let on = format!("field \"{}.{}\"", ty.name, field.name);
            refuse(report, &field.marks, field.place, &on);
        }
    }
}

fn refuse(report: &mut Report<'_>, marks: &Marks, place: crate::model::Place, on: &str) {
    let found = [
        ("authenticated", marks.authenticated),
        ("requiresScopes", marks.scopes.is_some()),
        ("policy", marks.policies.is_some()),
    ];
    for (name, _) in found.iter().filter(|(_, present)| *present) {
        let message = format!(
            "Invalid use of @{name} on {on}: @{name} cannot be applied on interfaces, interface fields and interface objects. Apply it to the implementing types and their fields: the interface takes it on from them."
        );
        report.error("AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE", place, message);
    }
}

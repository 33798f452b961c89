//! `@external` names a field that another subgraph resolves and this one only uses.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#external>

use super::Report;
use crate::model::{Federation, Field, Kind, TypeDef};

/// Checks all external fields.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model.types.values() {
        for field in ty.fields.values().filter(|field| field.external) {
            if ty.kind == Kind::Interface {
                let message = format!(
                    "Interface type field \"{}.{}\" is marked @external but @external is not allowed on interface fields.",
                    ty.name, field.name
                );
                report.error("EXTERNAL_ON_INTERFACE", field.place, message);
                continue;
            }
            check_use(report, ty, field);
            check_collision(report, ty, field);
            check_marks(report, ty, field);
        }
    }
}

fn check_use(report: &mut Report<'_>, ty: &TypeDef, field: &Field) {
    let used = report.model.used.contains(&(ty.name.clone(), field.name.clone()));
    if field.external_here && !used {
        let message = format!(
            "Field \"{}.{}\" is marked @external but is not used in any federation directive (@key, @provides, @requires) or to satisfy an interface; the field declaration has no use and should be removed (or the field should not be @external).",
            ty.name, field.name
        );
        report.error("EXTERNAL_UNUSED", field.place, message);
    }
}

/// What this subgraph does not resolve it cannot resolve in a special way.
fn check_collision(report: &mut Report<'_>, ty: &TypeDef, field: &Field) {
    let found = [
        ("provides", field.provides.is_some()),
        ("requires", field.requires.is_some()),
    ];
    let collides = field.external_here && report.model.version != Federation::One;
    for (name, _) in found.iter().filter(|(_, present)| *present && collides) {
        let message = format!(
            "Cannot have both @{name} and @external on field \"{}.{}\": this subgraph does not resolve the field; remove one of them.",
            ty.name, field.name
        );
        report.error("EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE", field.place, message);
    }
}

/// Directives on a field that this subgraph does not resolve would be lost.
fn check_marks(report: &mut Report<'_>, ty: &TypeDef, field: &Field) {
    let marks = &field.marks;
    let found = [
        ("inaccessible", marks.inaccessible),
        ("tag", !marks.tags.is_empty()),
    ];
    for (name, _) in found.iter().filter(|(_, present)| *present) {
        let message = format!(
            "Cannot apply merged directive @{name} to external field \"{}.{}\": apply it in the subgraph that resolves the field.",
            ty.name, field.name
        );
        report.error("MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL", field.place, message);
    }
}

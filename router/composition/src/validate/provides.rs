//! `@provides` selects external fields of the type that its field returns.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#provides>

use super::Report;
use super::field_sets::{self, Use};
use super::selection::Allowed;
use crate::fieldset::FieldSet;
use crate::model::{Field, Kind, TypeDef};

/// Checks all provisions.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model.types.values() {
        for field in ty.fields.values() {
            if let Some(set) = &field.provides {
                check_one(report, ty, field, set);
            }
        }
    }
}

fn check_one(report: &mut Report<'_>, ty: &TypeDef, field: &Field, set: &FieldSet) {
    let coordinate = format!("{}.{}", ty.name, field.name);
    if ty.kind == Kind::Interface {
        let message = format!(
            "Cannot use @provides on field \"{coordinate}\" of parent type \"{}\": @provides is not yet supported within interfaces.",
            ty.name
        );
        report.error("PROVIDES_UNSUPPORTED_ON_INTERFACE", set.place, message);
        return;
    }
    let target = report.model.types.get(field.ty.inner_named_type());
    let Some(ty) = target.filter(|target| target.is_composite()) else {
        let message = format!(
            "Invalid @provides directive on field \"{coordinate}\": field has type \"{}\" which is not a Composite Type.",
            field.ty
        );
        report.error("PROVIDES_ON_NON_OBJECT_FIELD", set.place, message);
        return;
    };
    let allowed = Allowed {
        arguments: false,
        abstract_fields: true,
        must_be_external: true,
    };
    let on = format!("field \"{coordinate}\"");
    field_sets::check(
        report,
        &Use {
            directive: "provides",
            on,
            set,
            ty,
            allowed,
        },
    );
}

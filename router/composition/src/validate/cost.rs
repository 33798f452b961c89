//! `@cost` and `@listSize` must describe what is there.
//!
//! <https://ibm.github.io/graphql-specs/cost-spec.html>

use super::Report;
use crate::model::{Field, Kind, ListSize, TypeDef};

/// Checks all cost directives.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model.types.values() {
        for field in ty.fields.values() {
            if ty.kind == Kind::Interface && field.marks.cost.is_some() {
                let message = format!(
                    "@cost cannot be applied to interface \"{}.{}\".",
                    ty.name, field.name
                );
                report.error("COST_APPLIED_TO_INTERFACE_FIELD", field.place, message);
            }
            if let Some(size) = &field.marks.list_size {
                check_list_size(report, ty, field, size);
            }
        }
    }
}

fn check_list_size(report: &mut Report<'_>, ty: &TypeDef, field: &Field, size: &ListSize) {
    let coordinate = format!("{}.{}", ty.name, field.name);
    if size.sized.is_none() && !field.ty.is_list() {
        let message = format!("\"{coordinate}\" is not a list: @listSize needs a list or sizedFields.");
        report.error("LIST_SIZE_APPLIED_TO_NON_LIST", field.place, message);
    }
    if size.assumed.is_some_and(|assumed| assumed < 0) {
        let message = format!("Assumed size of \"{coordinate}\" cannot be negative.");
        report.error("LIST_SIZE_INVALID_ASSUMED_SIZE", field.place, message);
    }
    for name in size.slicing.iter().flatten() {
        let fits = field
            .args
            .get(name.as_str())
            .is_some_and(|arg| arg.ty.inner_named_type() == "Int");
        if !fits {
            let message =
                format!("Slicing argument \"{name}\" is not an Int argument of field \"{coordinate}\".");
            report.error("LIST_SIZE_INVALID_SLICING_ARGUMENT", field.place, message);
        }
    }
    let target = report.model.types.get(field.ty.inner_named_type());
    for name in size.sized.iter().flatten() {
        let sized = target.and_then(|target| target.fields.get(name.as_str()));
        if !sized.is_some_and(|sized| sized.ty.is_list()) {
            let message = format!(
                "Sized field \"{name}\" is not a list field of type \"{}\".",
                field.ty.inner_named_type()
            );
            report.error("LIST_SIZE_INVALID_SIZED_FIELD", field.place, message);
        }
    }
}

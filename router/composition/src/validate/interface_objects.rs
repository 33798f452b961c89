//! `@interfaceObject` needs a key: the concrete type is found through it.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/reference/directives#interfaceobject>

use super::Report;

/// Checks all interface objects.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for ty in model
        .types
        .values()
        .filter(|ty| ty.interface_object && ty.keys.is_empty())
    {
        let message = format!(
            "The @interfaceObject directive can only be applied to entity types but type \"{}\" has no @key in this subgraph.",
            ty.name
        );
        report.error("INTERFACE_OBJECT_USAGE_ERROR", ty.place, message);
    }
}

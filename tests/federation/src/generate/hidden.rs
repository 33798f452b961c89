//! Fields that clients don't see; other subgraphs may need them all the same.
use super::build::Builder;
use super::graph::{Field, Kind, Type};

/// Hides some fields: of objects those that no interface has, of interfaces any, and never all of a type.
pub fn add(builder: &mut Builder) {
    if !builder.features.hidden {
        return;
    }
    for name in builder.names(|ty| matches!(ty.kind, Kind::Object { .. } | Kind::Interface { .. })) {
        let ty = builder.graph.ty(&name).clone();
        for field in &ty.fields {
            let visible = builder
                .graph
                .ty(&name)
                .fields
                .iter()
                .filter(|field| !field.hidden);
            let bound = is_of_interface(builder, &ty, &field.name) || is_added(&ty, field);
            if visible.count() > 1 && !bound && builder.numbers.percent(15) {
                let field = builder.graph.ty_mut(&name).field_mut(&field.name);
                field.expect("a field of the type").hidden = true;
            }
        }
    }
}

/// Whether it must be seen because an interface has it.
fn is_of_interface(builder: &Builder, ty: &Type, field: &str) -> bool {
    let mut interfaces = ty.implements().iter();
    interfaces.any(|name| builder.graph.ty(name).field(field).is_some())
}

/// Whether an interface object has it: then all implementers have it from there.
fn is_added(ty: &Type, field: &Field) -> bool {
    field
        .homes
        .keys()
        .any(|at| ty.seats.get(at).is_some_and(|seat| seat.interface_object))
}

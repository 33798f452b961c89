//! The type of the one value that a `@fromContext` selection leads to.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/entities/use-contexts>

use apollo_compiler::ast::Type;

use crate::fieldset::Sel;
use crate::model::{Model, TypeDef};

/// The selected value's type, nullable wherever a step on the way may be null.
pub(super) fn selected_type(model: &Model, ty: &TypeDef, selection: &[Sel]) -> Result<Type, String> {
    if ty.interface_object {
        return Err(format!(
            "one of the types in the selection is an interfaceObject: \"{}\"",
            ty.name
        ));
    }
    let fields = selection
        .iter()
        .filter(|one| matches!(one, Sel::Field { .. }))
        .count();
    if fields > 1 || (fields == 1 && selection.len() > 1) {
        return Err("multiple selections are made".to_owned());
    }
    let mut found: Option<Type> = None;
    for one in selection {
        let next = selected_one(model, ty, one)?;
        match &found {
            Some(before) if *before != next => {
                return Err(format!(
                    "its branches have different types, \"{before}\" and \"{next}\""
                ));
            }
            _ => found = Some(next),
        }
    }
    found.ok_or_else(|| "no selection is made".to_owned())
}

fn selected_one(model: &Model, ty: &TypeDef, selection: &Sel) -> Result<Type, String> {
    match selection {
        Sel::Field { aliased: true, .. } => Err("aliases are not allowed in the selection".to_owned()),
        Sel::Field { directives: true, .. } | Sel::On { directives: true, .. } => {
            Err("directives are not allowed in the selection".to_owned())
        }
        Sel::Field { name, .. } if name == "__typename" => {
            Ok(Type::NonNullNamed(apollo_compiler::name!("String")))
        }
        Sel::Field { name, sub, .. } => {
            let Some(field) = ty.fields.get(name) else {
                return Err(format!("Cannot query field \"{name}\" on type \"{}\"", ty.name));
            };
            let target = model.types.get(field.ty.inner_named_type());
            match target.filter(|target| target.is_composite()) {
                None if sub.is_empty() => Ok(field.ty.clone()),
                None => Err(format!("Field \"{}.{name}\" has no subfields", ty.name)),
                Some(_) if sub.is_empty() => Err(format!(
                    "Field \"{}.{name}\" of type \"{}\" must have a selection of subfields",
                    ty.name, field.ty
                )),
                Some(target) => Ok(wrap(&field.ty, selected_type(model, target, sub)?)),
            }
        }
        Sel::On { condition, sub, .. } => {
            let next = condition.as_ref().map_or(Some(ty), |name| model.types.get(name));
            let next = next.ok_or_else(|| "a type condition names an unknown type".to_owned())?;
            selected_type(model, next, sub).map(Type::nullable)
        }
    }
}

/// The type of a value below a field: in the field's lists, and null where the field is.
fn wrap(outer: &Type, inner: Type) -> Type {
    match outer {
        Type::Named(_) => inner.nullable(),
        Type::NonNullNamed(_) => inner,
        Type::List(item) => Type::List(Box::new(wrap(item, inner))),
        Type::NonNullList(item) => Type::NonNullList(Box::new(wrap(item, inner))),
    }
}

/// Whether every value of `selected` is one of `wanted`.
pub(super) fn fits(wanted: &Type, selected: &Type) -> bool {
    match (wanted, selected) {
        (Type::Named(a), Type::Named(b) | Type::NonNullNamed(b)) => a == b,
        (Type::NonNullNamed(a), Type::NonNullNamed(b)) => a == b,
        (Type::List(a), Type::List(b) | Type::NonNullList(b)) => fits(a, b),
        (Type::NonNullList(a), Type::NonNullList(b)) => fits(a, b),
        _ => false,
    }
}

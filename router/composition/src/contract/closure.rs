//! What a contract leaves out, and all that cannot be used without it.

use apollo_compiler::Name;
use apollo_compiler::ast::Value;
use std::collections::BTreeSet;

use super::Contract;
use super::view::{Field, Type, View};
use crate::model::Kind;

/// Hides by tags.
pub(super) fn select(view: &mut View, contract: &Contract) {
    let excluded = |tags: &BTreeSet<String>| !tags.is_disjoint(&contract.exclude);
    for ty in view.types.values_mut() {
        let (all_excluded, all_included) = (excluded(&ty.tags), !ty.tags.is_disjoint(&contract.include));
        ty.hidden |= all_excluded;
        let needs_tag = !contract.include.is_empty() && matches!(ty.kind, Kind::Object | Kind::Interface);
        for field in ty.fields.values_mut() {
            field.excluded |= all_excluded || excluded(&field.tags);
            let included = all_included || !field.tags.is_disjoint(&contract.include);
            field.hidden |= field.excluded || (needs_tag && !included);
            for arg in field.args.values_mut() {
                arg.hidden |= excluded(&arg.tags);
            }
        }
        for value in ty.values.values_mut() {
            value.hidden |= excluded(&value.tags);
        }
    }
    show_demanded(view);
}

/// What an interface shows, its implementations have: without a tag of their own, unless excluded.
fn show_demanded(view: &mut View) {
    let mut shown: Vec<(Name, Name)> = Vec::new();
    for (name, ty) in &view.types {
        for interface in ty
            .implements
            .iter()
            .filter_map(|interface| view.types.get(interface))
        {
            let fields = interface
                .fields
                .iter()
                .filter(|(_, field)| !field.hidden && !interface.hidden);
            shown.extend(fields.map(|(field, _)| (name.clone(), field.clone())));
        }
    }
    for (ty, field) in shown {
        let field = view.types.get_mut(&ty).and_then(|ty| ty.fields.get_mut(&field));
        if let Some(field) = field.filter(|field| !field.excluded) {
            field.hidden = false;
        }
    }
}

/// Hides what cannot be used without something hidden, until nothing more follows.
pub(super) fn close(view: &mut View) {
    loop {
        let more = consequences(view);
        if more.is_empty() {
            return;
        }
        for hiding in more {
            hiding.apply(view);
        }
    }
}

/// One more element to hide.
enum Hiding {
    Type(Name),
    Field(Name, Name),
    Arg(Name, Name, Name),
}

impl Hiding {
    fn apply(self, view: &mut View) {
        match self {
            Hiding::Type(ty) => {
                if let Some(ty) = view.types.get_mut(&ty) {
                    ty.hidden = true;
                }
            }
            Hiding::Field(ty, field) => {
                if let Some(field) = view.types.get_mut(&ty).and_then(|ty| ty.fields.get_mut(&field)) {
                    field.hidden = true;
                }
            }
            Hiding::Arg(ty, field, arg) => {
                let field = view.types.get_mut(&ty).and_then(|ty| ty.fields.get_mut(&field));
                if let Some(arg) = field.and_then(|field| field.args.get_mut(&arg)) {
                    arg.hidden = true;
                }
            }
        }
    }
}

fn consequences(view: &View) -> Vec<Hiding> {
    let mut found = Vec::new();
    for (name, ty) in view.types.iter().filter(|(_, ty)| !ty.hidden) {
        if is_empty(view, ty) {
            found.push(Hiding::Type(name.clone()));
            continue;
        }
        for (field_name, field) in &ty.fields {
            of_field(view, (name, ty), (field_name, field), &mut found);
        }
    }
    found
}

fn is_empty(view: &View, ty: &Type) -> bool {
    match ty.kind {
        Kind::Scalar => false,
        Kind::Object | Kind::Interface => ty.fields.values().all(|field| field.hidden),
        // Where a required field is hidden, no value of the type can be given.
        Kind::Input => {
            ty.fields.values().all(|field| field.hidden)
                || ty.fields.values().any(|field| field.hidden && field.required)
        }
        Kind::Enum => ty.values.values().all(|value| value.hidden),
        Kind::Union => ty.members.iter().all(|member| view.is_hidden(member)),
    }
}

fn of_field(
    view: &View,
    (name, ty): (&Name, &Type),
    (field_name, field): (&Name, &Field),
    found: &mut Vec<Hiding>,
) {
    if field.hidden {
        return of_hidden_field(view, ty, field_name, found);
    }
    let spoilt = field
        .default
        .as_ref()
        .is_some_and(|value| uses_hidden(view, &field.ty, value));
    let uncallable = field.args.values().any(|arg| arg.hidden && arg.required);
    if view.is_hidden(&field.ty) || spoilt || uncallable {
        found.push(Hiding::Field(name.clone(), field_name.clone()));
    }
    for (arg_name, arg) in &field.args {
        let spoilt = arg
            .default
            .as_ref()
            .is_some_and(|value| uses_hidden(view, &arg.ty, value));
        if !arg.hidden && (view.is_hidden(&arg.ty) || spoilt) {
            found.push(Hiding::Arg(name.clone(), field_name.clone(), arg_name.clone()));
        }
        if arg.hidden {
            for interface in &ty.implements {
                let theirs = view.types.get(interface).and_then(|ty| ty.fields.get(field_name));
                let theirs = theirs.and_then(|field| field.args.get(arg_name));
                if theirs.is_some_and(|theirs| !theirs.hidden) {
                    found.push(Hiding::Arg(
                        interface.clone(),
                        field_name.clone(),
                        arg_name.clone(),
                    ));
                }
            }
        }
    }
}

/// An interface cannot show what a type that stays lost.
fn of_hidden_field(view: &View, ty: &Type, field: &Name, found: &mut Vec<Hiding>) {
    for interface in &ty.implements {
        let theirs = view.types.get(interface).and_then(|ty| ty.fields.get(field));
        if theirs.is_some_and(|theirs| !theirs.hidden) {
            found.push(Hiding::Field(interface.clone(), field.clone()));
        }
    }
}

/// Whether a default value mentions something hidden.
fn uses_hidden(view: &View, ty: &Name, value: &Value) -> bool {
    let Some(target) = view.types.get(ty) else {
        return false;
    };
    match value {
        Value::Enum(name) => target.values.get(name).is_some_and(|value| value.hidden),
        Value::List(items) => items.iter().any(|item| uses_hidden(view, ty, item)),
        Value::Object(entries) => entries.iter().any(|(name, value)| {
            let field = target.fields.get(name);
            field.is_some_and(|field| field.hidden || uses_hidden(view, &field.ty, value))
        }),
        _ => false,
    }
}

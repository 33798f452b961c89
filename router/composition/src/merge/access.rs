//! An interface asks for what its implementations ask for, so that nobody reads through it what is barred below.
//!
//! <https://www.apollographql.com/docs/graphos/routing/security/authorization>

use apollo_compiler::Name;
use std::collections::BTreeMap;

use super::marks::and;
use super::merged::{MType, Merged};
use crate::model::{Kind, Marks};

/// Adds to interfaces and their fields the conditions of all implementations.
pub(super) fn propagate(merged: &mut Merged) {
    take_on_lent(merged);
    let mut changes: BTreeMap<Name, (Marks, BTreeMap<Name, Marks>)> = BTreeMap::new();
    for interface in merged.types.values().filter(|ty| ty.kind == Kind::Interface) {
        let mut own = interface.marks.clone();
        let mut fields: BTreeMap<Name, Marks> = interface
            .fields
            .iter()
            .map(|(name, field)| (name.clone(), field.marks.clone()))
            .collect();
        let implementing = |ty: &&MType| ty.kind == Kind::Object && ty.implements.contains(&interface.name);
        for object in merged.types.values().filter(implementing) {
            add(&mut own, &object.marks);
            for (name, marks) in &mut fields {
                if let Some(field) = object.fields.get(name) {
                    add(marks, &field.marks);
                }
            }
        }
        changes.insert(interface.name.clone(), (own, fields));
    }
    for (name, (marks, fields)) in changes {
        let Some(interface) = merged.types.get_mut(&name) else {
            continue;
        };
        interface.marks = marks;
        for (field, marks) in fields {
            if let Some(field) = interface.fields.get_mut(&field) {
                field.marks = marks;
            }
        }
    }
}

/// What an interface object asks for on a field it lends, the implementations' own versions of the field ask for too.
fn take_on_lent(merged: &mut Merged) {
    let lending = |ty: &&MType| ty.joins.iter().any(|join| join.interface_object);
    let lenders: Vec<MType> = merged.types.values().filter(lending).cloned().collect();
    for object in merged.types.values_mut().filter(|ty| ty.kind == Kind::Object) {
        for lender in lenders
            .iter()
            .filter(|lender| object.implements.contains(&lender.name))
        {
            for (name, field) in &mut object.fields {
                if let Some(lent) = lender.fields.get(name) {
                    add(&mut field.marks, &lent.marks);
                }
            }
        }
    }
}

/// Joins the conditions of `from` to `into` by AND.
pub(super) fn add(into: &mut Marks, from: &Marks) {
    into.authenticated |= from.authenticated;
    into.scopes = and(into.scopes.take(), from.scopes.as_ref());
    into.policies = and(into.policies.take(), from.policies.as_ref());
}

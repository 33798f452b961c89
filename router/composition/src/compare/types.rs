//! Types: their kinds, what they implement, their members.

use apollo_compiler::Name;
use apollo_compiler::schema::{ComponentName, ExtendedType};
use indexmap::IndexSet;
use std::hash::BuildHasher;

use super::Level::{Breaking, Dangerous, Safe};
use super::{Changes, enums, fields, inputs, narrowing};

/// Compares all types.
pub(super) fn compare(changes: &mut Changes<'_>) {
    let (before, after) = (changes.before, changes.after);
    let own = |ty: &&ExtendedType| !ty.is_built_in();
    for ty in before.types.values().filter(own) {
        match after.types.get(ty.name()) {
            Some(now) => compare_one(changes, ty, now),
            None => {
                let message = format!("Type \"{}\" was removed.", ty.name());
                changes.add(Breaking, "TYPE_REMOVED", ty.name().to_string(), message);
            }
        }
    }
    let added = after.types.values().filter(own);
    for ty in added.filter(|ty| !before.types.contains_key(ty.name())) {
        let message = format!("Type \"{}\" was added.", ty.name());
        changes.add(Safe, "TYPE_ADDED", ty.name().to_string(), message);
        if let ExtendedType::Object(object) = ty {
            implementations(
                changes,
                ty.name(),
                &IndexSet::new(),
                &object.implements_interfaces,
            );
        }
    }
}

fn compare_one(changes: &mut Changes<'_>, was: &ExtendedType, is: &ExtendedType) {
    let name = was.name();
    match (was, is) {
        (ExtendedType::Object(was), ExtendedType::Object(is)) => {
            implementations(
                changes,
                name,
                &was.implements_interfaces,
                &is.implements_interfaces,
            );
            fields::compare(changes, name, &was.fields, &is.fields);
        }
        (ExtendedType::Interface(was), ExtendedType::Interface(is)) => {
            implementations(
                changes,
                name,
                &was.implements_interfaces,
                &is.implements_interfaces,
            );
            fields::compare(changes, name, &was.fields, &is.fields);
        }
        (ExtendedType::Union(was), ExtendedType::Union(is)) => {
            members(changes, name, &was.members, &is.members);
        }
        (ExtendedType::Enum(was), ExtendedType::Enum(is)) => enums::compare(changes, was, is),
        (ExtendedType::InputObject(was), ExtendedType::InputObject(is)) => {
            inputs::compare_object(changes, was, is);
        }
        (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => {}
        _ => {
            let message = format!("\"{name}\" was {} and is now {}.", kind(was), kind(is));
            changes.add(Breaking, "TYPE_KIND_CHANGED", name.to_string(), message);
        }
    }
}

fn kind(ty: &ExtendedType) -> &'static str {
    match ty {
        ExtendedType::Scalar(_) => "a scalar",
        ExtendedType::Object(_) => "an object type",
        ExtendedType::Interface(_) => "an interface",
        ExtendedType::Union(_) => "a union",
        ExtendedType::Enum(_) => "an enum",
        ExtendedType::InputObject(_) => "an input object",
    }
}

fn implementations<S: BuildHasher, T: BuildHasher>(
    changes: &mut Changes<'_>,
    ty: &Name,
    was: &IndexSet<ComponentName, S>,
    is: &IndexSet<ComponentName, T>,
) {
    let holds = |interface: &ComponentName| is.iter().any(|other| other.name == interface.name);
    for interface in was.iter().filter(|interface| !holds(interface)) {
        let message = format!("\"{ty}\" no longer implements \"{}\".", interface.name);
        let needs = narrowing(&interface.name, ty);
        changes.add_for(Breaking, "IMPLEMENTATION_REMOVED", ty.to_string(), message, needs);
    }
    let held = |interface: &ComponentName| was.iter().any(|other| other.name == interface.name);
    for interface in is.iter().filter(|interface| !held(interface)) {
        if changes.before.types.contains_key(&interface.name) {
            let message = format!(
                "\"{ty}\" now implements \"{0}\": clients may meet it where they select \"{0}\".",
                interface.name
            );
            let needs = interface.name.to_string();
            changes.add_for(Dangerous, "IMPLEMENTATION_ADDED", ty.to_string(), message, needs);
        }
    }
}

fn members<S: BuildHasher>(
    changes: &mut Changes<'_>,
    union: &Name,
    was: &IndexSet<ComponentName, S>,
    is: &IndexSet<ComponentName, S>,
) {
    let names = |set: &IndexSet<ComponentName, S>| -> Vec<Name> {
        set.iter().map(|member| member.name.clone()).collect()
    };
    let (was, is) = (names(was), names(is));
    for member in was.iter().filter(|member| !is.contains(member)) {
        let message = format!("\"{member}\" was removed from union \"{union}\".");
        let needs = narrowing(union, member);
        changes.add_for(
            Breaking,
            "UNION_MEMBER_REMOVED",
            union.to_string(),
            message,
            needs,
        );
    }
    for member in is.iter().filter(|member| !was.contains(member)) {
        let message = format!("\"{member}\" was added to union \"{union}\": clients may meet it.");
        changes.add(Dangerous, "UNION_MEMBER_ADDED", union.to_string(), message);
    }
}

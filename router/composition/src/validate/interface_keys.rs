//! A key of an interface must be a key of each implementation.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/entities/interfaces#interface-requirements>

use super::Report;
use crate::fieldset::{FieldSet, Sel, print};
use crate::model::{Key, Kind, TypeDef};

/// Checks all interfaces with keys.
pub(super) fn check(report: &mut Report<'_>) {
    let model = report.model;
    for interface in model.types.values().filter(|ty| ty.kind == Kind::Interface) {
        for key in &interface.keys {
            for object in model.runtime_types(interface) {
                check_one(report, interface, key, object);
            }
        }
    }
}

fn check_one(report: &mut Report<'_>, interface: &TypeDef, key: &Key, object: &TypeDef) {
    let wanted = normal(&key.set);
    let own = object.keys.iter().find(|own| normal(&own.set) == wanted);
    let raw = &key.set.raw;
    let message = match own {
        None => format!(
            "Key @key(fields: \"{raw}\") on interface type \"{}\" is missing on implementation type \"{}\".",
            interface.name, object.name
        ),
        Some(own) if own.resolvable == Some(false) && key.resolvable != Some(false) => format!(
            "Key @key(fields: \"{raw}\") on interface type \"{}\" should be resolvable on all implementation types, but is declared with argument \"resolvable: false\" on type \"{}\".",
            interface.name, object.name
        ),
        Some(_) => return,
    };
    report.error("INTERFACE_KEY_NOT_ON_IMPLEMENTATION", object.place, message);
}

/// The same text for keys that select the same.
fn normal(set: &FieldSet) -> String {
    print(&sorted(set.selection()))
}

fn sorted(selection: &[Sel]) -> Vec<Sel> {
    let mut all: Vec<Sel> = selection.iter().map(sorted_one).collect();
    all.sort_by_key(|one| print(std::slice::from_ref(one)));
    all
}

fn sorted_one(selection: &Sel) -> Sel {
    let mut one = selection.clone();
    match &mut one {
        Sel::Field { sub, .. } | Sel::On { sub, .. } => *sub = sorted(sub),
    }
    one
}

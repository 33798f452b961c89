//! Types that no query of the variant reaches are left out as well.

use apollo_compiler::{Name, Schema};
use std::collections::BTreeSet;

use super::view::{Type, View};
use crate::model::Kind;

/// Hides all types that nothing leads to.
pub(super) fn hide_others(view: &mut View, schema: &Schema) {
    let mut reached: BTreeSet<Name> = BTreeSet::new();
    let mut left = starts(schema);
    while let Some(name) = left.pop() {
        let Some(ty) = view.types.get(&name).filter(|ty| !ty.hidden) else {
            continue;
        };
        if reached.insert(name.clone()) {
            left.extend(leads_to(view, &name, ty));
        }
    }
    for (name, ty) in &mut view.types {
        ty.hidden |= !reached.contains(name);
    }
}

/// Root types, and what directives of clients take.
fn starts(schema: &Schema) -> Vec<Name> {
    let definition = &schema.schema_definition;
    let roots = [&definition.query, &definition.mutation, &definition.subscription];
    let roots = roots.into_iter().flatten().map(|root| root.name.clone());
    let directives = schema.directive_definitions.values();
    let taken = directives.flat_map(|directive| {
        directive
            .arguments
            .iter()
            .map(|arg| arg.ty.inner_named_type().clone())
    });
    roots.chain(taken).collect()
}

fn leads_to(view: &View, name: &Name, ty: &Type) -> Vec<Name> {
    let mut found: Vec<Name> = ty.implements.iter().chain(&ty.members).cloned().collect();
    for field in ty.fields.values().filter(|field| !field.hidden) {
        found.push(field.ty.clone());
        found.extend(
            field
                .args
                .values()
                .filter(|arg| !arg.hidden)
                .map(|arg| arg.ty.clone()),
        );
    }
    if ty.kind == Kind::Interface {
        let implementing = view
            .types
            .iter()
            .filter(|(_, other)| other.implements.contains(name));
        found.extend(implementing.map(|(other, _)| other.clone()));
    }
    found
}

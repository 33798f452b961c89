//! Federation 1 subgraphs become Federation 2 ones.
//!
//! <https://www.apollographql.com/docs/graphos/reference/migration/to-federation-version-2>

use apollo_compiler::Name;
use std::collections::{HashMap, HashSet};

use super::usage;
use crate::fieldset::{FieldSet, Sel, print, targets};
use crate::model::{Coordinate, Federation, Kind, Model, TypeDef, is_root};

/// Upgrades every Federation 1 model in place.
pub(crate) fn upgrade_all(models: &mut [Model]) {
    let first_keys = first_keys(models);
    for (index, model) in models.iter_mut().enumerate() {
        if model.version == Federation::One {
            upgrade(model, index, &first_keys);
        }
    }
}

/// Key fields that stand on an extension are the extension's own, `@external` or not.
pub(super) fn drop_fake_externals(model: &mut Model) {
    let mut fake: HashSet<Coordinate> = HashSet::new();
    for ty in model.types.values() {
        for key in ty.keys.iter().filter(|key| key.extension) {
            collect(model, ty, &key.set, &mut fake);
        }
    }
    clear_external(model, &fake);
}

fn upgrade(model: &mut Model, index: usize, first_keys: &FirstKeys) {
    clean_interfaces(model);
    drop_fake_externals(model);
    drop_key_externals_of_others(model, index, first_keys);
    drop_inactive_sets(model);
    drop_unused_externals(model);
    for ty in model.types.values_mut().filter(|ty| ty.kind == Kind::Object) {
        for field in ty.fields.values_mut() {
            field.shareable = true;
        }
    }
    for ty in model.types.values_mut() {
        for field in ty.fields.values_mut().filter(|field| field.external) {
            field.marks.tags.clear();
        }
    }
}

/// type → (subgraph, top-level fields of its first key there).
type FirstKeys = HashMap<Name, Vec<(usize, Vec<Name>)>>;

fn first_keys(models: &[Model]) -> FirstKeys {
    let mut found = FirstKeys::new();
    for (index, model) in models.iter().enumerate() {
        for ty in model.types.values() {
            let Some(key) = ty.keys.first() else { continue };
            let names = key.set.selection().iter().filter_map(|sel| match sel {
                Sel::Field { name, .. } => Some(name.clone()),
                Sel::On { .. } => None,
            });
            found
                .entry(ty.name.clone())
                .or_default()
                .push((index, names.collect()));
        }
    }
    found
}

fn collect(model: &Model, ty: &TypeDef, set: &FieldSet, into: &mut HashSet<Coordinate>) {
    targets(model, ty, set.selection(), false, &mut |ty, field: &Name| {
        into.insert((ty.name.clone(), field.clone()));
    });
}

fn clear_external(model: &mut Model, fields: &HashSet<Coordinate>) {
    for (ty, field) in fields {
        if let Some(field) = model.types.get_mut(ty).and_then(|ty| ty.fields.get_mut(field)) {
            field.external = false;
        }
    }
}

/// Federation 1 ignored its directives on interfaces.
fn clean_interfaces(model: &mut Model) {
    for ty in model.types.values_mut().filter(|ty| ty.kind == Kind::Interface) {
        ty.keys.clear();
        for field in ty.fields.values_mut() {
            field.external = false;
            field.requires = None;
            field.provides = None;
        }
    }
}

/// An extension without a key of its own still gets the owner's first key sent.
fn drop_key_externals_of_others(model: &mut Model, index: usize, first_keys: &FirstKeys) {
    let mut fake: HashSet<Coordinate> = HashSet::new();
    for ty in model
        .types
        .values()
        .filter(|ty| ty.extension && ty.keys.is_empty())
    {
        let others = first_keys.get(&ty.name).into_iter().flatten();
        for (_, fields) in others.filter(|(other, _)| *other != index) {
            fake.extend(fields.iter().map(|field| (ty.name.clone(), field.clone())));
        }
    }
    clear_external(model, &fake);
}

/// `@requires` and `@provides` of fields that are not external do nothing.
fn drop_inactive_sets(model: &mut Model) {
    let mut changes: Vec<(Coordinate, Option<FieldSet>, Option<FieldSet>)> = Vec::new();
    for ty in model.types.values() {
        for field in ty.fields.values() {
            if field.requires.is_none() && field.provides.is_none() {
                continue;
            }
            let base = usage::provided_type(model, field);
            let requires = field
                .requires
                .as_ref()
                .and_then(|set| active_set(model, Some(ty), set));
            let provides = field
                .provides
                .as_ref()
                .and_then(|set| active_set(model, base, set));
            changes.push(((ty.name.clone(), field.name.clone()), requires, provides));
        }
    }
    for ((ty, field), requires, provides) in changes {
        if let Some(field) = model.types.get_mut(&ty).and_then(|ty| ty.fields.get_mut(&field)) {
            field.requires = requires;
            field.provides = provides;
        }
    }
}

fn active_set(model: &Model, ty: Option<&TypeDef>, set: &FieldSet) -> Option<FieldSet> {
    let ty = ty?;
    let Ok(selection) = &set.parsed else {
        return Some(set.clone());
    };
    let kept = active(model, ty, selection);
    if kept.is_empty() {
        return None;
    }
    if kept == *selection {
        return Some(set.clone());
    }
    Some(FieldSet {
        raw: print(&kept),
        parsed: Ok(kept),
        ..set.clone()
    })
}

/// The part of a selection that ends in external fields; unknown fields stay, to be reported.
fn active(model: &Model, ty: &TypeDef, selection: &[Sel]) -> Vec<Sel> {
    selection
        .iter()
        .filter_map(|one| active_one(model, ty, one))
        .collect()
}

fn active_one(model: &Model, ty: &TypeDef, one: &Sel) -> Option<Sel> {
    match one {
        Sel::Field {
            name,
            aliased,
            args,
            directives,
            sub,
        } => {
            let Some(field) = ty.fields.get(name) else {
                return Some(one.clone());
            };
            if field.external || is_external_in_implementation(model, ty, name) {
                return Some(one.clone());
            }
            let next = model.types.get(field.ty.inner_named_type())?;
            let sub = active(model, next, sub);
            let (name, args) = (name.clone(), args.clone());
            (!sub.is_empty()).then(|| Sel::Field {
                name,
                aliased: *aliased,
                args,
                directives: *directives,
                sub,
            })
        }
        Sel::On {
            condition,
            directives,
            sub,
        } => {
            let next = condition.as_ref().map_or(Some(ty), |name| model.types.get(name));
            let Some(next) = next else {
                return Some(one.clone());
            };
            let sub = active(model, next, sub);
            let condition = condition.clone();
            (!sub.is_empty()).then(|| Sel::On {
                condition,
                directives: *directives,
                sub,
            })
        }
    }
}

fn is_external_in_implementation(model: &Model, ty: &TypeDef, field: &Name) -> bool {
    ty.kind == Kind::Interface
        && model
            .runtime_types(ty)
            .iter()
            .any(|object| object.fields.get(field).is_some_and(|field| field.external))
}

/// Federation 1 allowed externals that nothing uses; so that they promise nothing, they go.
fn drop_unused_externals(model: &mut Model) {
    usage::record(model);
    let used = std::mem::take(&mut model.used);
    for ty in model.types.values_mut().filter(|ty| ty.kind == Kind::Object) {
        let name = ty.name.clone();
        ty.fields
            .retain(|field, def| !def.external || used.contains(&(name.clone(), field.clone())));
    }
    let emptied = model.types.values().filter(|ty| {
        ty.kind == Kind::Object
            && ty.fields.is_empty()
            && !is_root(&ty.name)
            && !is_referenced(model, &ty.name)
    });
    let gone: HashSet<Name> = emptied.map(|ty| ty.name.clone()).collect();
    model.types.retain(|name, _| !gone.contains(name));
}

fn is_referenced(model: &Model, name: &Name) -> bool {
    model.types.values().any(|ty| {
        ty.members.contains(name)
            || ty
                .fields
                .values()
                .any(|field| field.ty.inner_named_type() == name)
    })
}

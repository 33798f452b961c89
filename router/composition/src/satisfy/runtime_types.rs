//! A field that several subgraphs resolve must be able to come back with the same object types from each.
//!
//! Whichever subgraph is asked, the answer should be the same. Where they have no type in common it cannot be.

use apollo_compiler::Name;
use std::collections::BTreeSet;

use super::world::{Position, TypeId, World};
use crate::diagnostics::Diagnostic;
use crate::merge::merged::GraphId;
use crate::model::Model;

/// What comparing the subgraphs of a field yields.
pub(super) enum Finding {
    Alike,
    /// They have a type in common, but not all.
    Different(Diagnostic),
    /// They have none in common.
    Disjoint(Diagnostic),
}

/// Compares the object types that each subgraph of `closure` can answer a field with.
pub(super) fn check(
    world: &World<'_>,
    models: &[Model],
    ty: TypeId,
    field: &Name,
    closure: &[Position],
) -> Finding {
    let sets = sets(world, ty, field, closure);
    let Some((first, rest)) = sets.split_first() else {
        return Finding::Alike;
    };
    if rest.iter().all(|(_, set)| *set == first.1) {
        return Finding::Alike;
    }
    let common = rest
        .iter()
        .fold(first.1.clone(), |common, (_, set)| &common & set);
    let described: Vec<String> = sets
        .iter()
        .map(|(graph, set)| format!("{} in subgraph \"{}\"", names(world, set), models[*graph].name))
        .collect();
    let (name, described) = (&world.ty(ty).name, described.join(", "));
    let place = models[first.0].field(name, field).and_then(|own| own.place);
    let report = |code: &str, message: String| models[first.0].report(code, place, message);
    if common.is_empty() {
        return Finding::Disjoint(report(
            "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
            format!(
                "Shared field \"{name}.{field}\" has no common runtime type across the subgraphs that resolve it: the possible types are {described}. A shared field must resolve the same way in all subgraphs: give them a type in common, or let one subgraph resolve the field."
            ),
        ));
    }
    Finding::Different(report(
        "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN",
        format!(
            "Shared field \"{name}.{field}\" has different runtime types across the subgraphs that resolve it: the possible types are {described}. Only types that all of them know can be counted on."
        ),
    ))
}

/// The subgraphs that resolve the field by themselves, with the object types they can answer with.
fn sets(
    world: &World<'_>,
    ty: TypeId,
    field: &Name,
    closure: &[Position],
) -> Vec<(GraphId, BTreeSet<TypeId>)> {
    let mut found: Vec<(GraphId, BTreeSet<TypeId>)> = Vec::new();
    for at in closure.iter().filter(|at| at.ty == ty) {
        let Some(local) = world.local(*at, field).filter(|local| !local.external) else {
            continue;
        };
        let Some(target) = world.id(local.ty.inner_named_type()) else {
            continue;
        };
        let known = found.iter().any(|(graph, _)| *graph == at.graph);
        if known || world.is_interface_object(at.graph, target) {
            continue;
        }
        let set: BTreeSet<TypeId> = match world.ty(target).kind {
            crate::model::Kind::Object => BTreeSet::from([target]),
            _ => world
                .runtime(target)
                .iter()
                .copied()
                .filter(|object| world.is_local_runtime(at.graph, target, *object))
                .collect(),
        };
        if !set.is_empty() {
            found.push((at.graph, set));
        }
    }
    found
}

fn names(world: &World<'_>, set: &BTreeSet<TypeId>) -> String {
    let quoted: Vec<String> = set
        .iter()
        .map(|id| format!("\"{}\"", world.ty(*id).name))
        .collect();
    quoted.join(", ")
}

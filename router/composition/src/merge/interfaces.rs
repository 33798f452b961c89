//! A resolvable `@key` on an interface promises all its implementations.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/entities/interfaces#interface-requirements>

use super::Context;
use super::merged::Merged;
use crate::model::{Kind, TypeDef};

/// Checks the keys of interfaces against all implementations in the supergraph.
pub(super) fn check(cx: &mut Context<'_>, merged: &Merged) {
    for interface in merged.types.values().filter(|ty| ty.kind == Kind::Interface) {
        for graph in interface.graphs() {
            let Some(local) = cx.models[graph].types.get(&interface.name) else {
                continue;
            };
            if local.kind == Kind::Interface {
                check_one(cx, graph, local);
            }
        }
    }
}

fn check_one(cx: &mut Context<'_>, graph: usize, local: &TypeDef) {
    let Some(key) = local.keys.iter().find(|key| key.resolvable != Some(false)) else {
        return;
    };
    let model = &cx.models[graph];
    let missing: Vec<String> = cx
        .lattice
        .implementations(&local.name)
        .filter(|object| {
            !model
                .types
                .get(*object)
                .is_some_and(|ty| ty.implements.contains(&local.name))
        })
        .map(|object| format!("\"{object}\""))
        .collect();
    if missing.is_empty() {
        return;
    }
    let message = format!(
        "[{0}] Interface type \"{1}\" has a resolvable key (@key(fields: \"{2}\")) in subgraph \"{0}\" but that subgraph is missing some of the supergraph implementation types of \"{1}\". Subgraph \"{0}\" should define {3} (and have it implement \"{1}\").",
        model.name,
        local.name,
        key.set.raw,
        missing.join(", ")
    );
    cx.error(
        "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
        graph,
        key.set.place,
        message,
    );
}

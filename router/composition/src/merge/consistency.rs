//! Hints on types that subgraphs define differently, where nothing is wrong with that.
//!
//! <https://www.apollographql.com/docs/graphos/reference/federation/hints>

use apollo_compiler::Name;
use indexmap::IndexSet;

use super::merged::GraphId;
use super::{Context, Sources};
use crate::model::{Kind, TypeDef, is_root};

/// Looks at one object or interface type.
pub(super) fn hint(cx: &mut Context<'_>, name: &Name, sources: &Sources<'_, TypeDef>) {
    if sources.len() < 2 || is_root(name) {
        return;
    }
    let keyed = |(_, ty): &&(GraphId, &TypeDef)| !ty.keys.is_empty();
    match sources.iter().filter(keyed).count() {
        0 => hint_fields(cx, name, sources),
        count if count < sources.len() => hint_entity(cx, name, sources),
        _ => {}
    }
}

fn hint_entity(cx: &mut Context<'_>, name: &Name, sources: &Sources<'_, TypeDef>) {
    let Some((graph, ty)) = sources.iter().find(|(_, ty)| ty.keys.is_empty()) else {
        return;
    };
    if ty.kind != Kind::Object {
        return;
    }
    let without = |(graph, ty): &(GraphId, &TypeDef)| ty.keys.is_empty().then_some(*graph);
    let without: Vec<GraphId> = sources.iter().filter_map(without).collect();
    let with = sources.iter().map(|(graph, _)| *graph);
    let with: Vec<GraphId> = with.filter(|graph| !without.contains(graph)).collect();
    let message = format!(
        "Type \"{name}\" is declared as an entity (has a @key applied) in some but not all defining subgraphs: it has no @key in {} but has one in {}.",
        cx.names(&without),
        cx.names(&with)
    );
    cx.hint("INCONSISTENT_ENTITY", *graph, ty.place, message);
}

/// A value type should have the same fields wherever it is defined.
fn hint_fields(cx: &mut Context<'_>, name: &Name, sources: &Sources<'_, TypeDef>) {
    let own = |(_, ty): &&(GraphId, &TypeDef)| ty.fields.values().any(|field| !field.external);
    let sources: Sources<'_, TypeDef> = sources.iter().filter(own).copied().collect();
    let (code, what) = match sources.first().map(|(_, ty)| ty.kind) {
        Some(Kind::Object) => ("INCONSISTENT_OBJECT_VALUE_TYPE_FIELD", "object"),
        Some(Kind::Interface) => ("INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD", "interface"),
        _ => return,
    };
    let fields: IndexSet<&Name> = sources.iter().flat_map(|(_, ty)| ty.fields.keys()).collect();
    for field in fields {
        let lacks = |(graph, ty): &(GraphId, &TypeDef)| (!ty.fields.contains_key(field)).then_some(*graph);
        let missing: Vec<GraphId> = sources.iter().filter_map(lacks).collect();
        let has = sources
            .iter()
            .find_map(|(graph, ty)| Some((*graph, ty.fields.get(field)?)));
        let Some((graph, own)) = has.filter(|_| !missing.is_empty()) else {
            continue;
        };
        let message = format!(
            "Field \"{name}.{field}\" of non-entity {what} type \"{name}\" is defined in some but not all subgraphs that define \"{name}\": it is not in {}.",
            cx.names(&missing)
        );
        cx.hint(code, graph, own.place, message);
    }
}

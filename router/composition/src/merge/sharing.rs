//! A field that several subgraphs resolve must be `@shareable` in each of them.
//!
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/sharing-types>

use apollo_compiler::Name;

use super::merged::{GraphId, MType};
use super::overrides::Overrides;
use super::{Context, Sources, interface_objects};
use crate::model::Field;

/// Checks one field of an object type.
pub(super) fn check(
    cx: &mut Context<'_>,
    parent: &MType,
    name: &Name,
    has: &Sources<'_, Field>,
    overrides: &Overrides,
) {
    let mut resolving: Vec<(GraphId, &Field, bool)> = Vec::new();
    for (graph, field) in has.iter().filter(|(graph, _)| !overrides.is_overridden(*graph)) {
        let model = &cx.models[*graph];
        if model.fully_external(&parent.name, field) {
            continue;
        }
        let in_key = model.key_fields.contains(&(parent.name.clone(), name.clone()));
        resolving.push((*graph, field, field.shareable || field.external || in_key));
    }
    for (graph, field, in_key) in interface_objects::abstracted(cx, parent, name) {
        resolving.push((graph, field, field.shareable || in_key));
    }
    let closed: Vec<GraphId> = resolving
        .iter()
        .filter(|(_, _, open)| !open)
        .map(|(graph, ..)| *graph)
        .collect();
    if closed.is_empty() || resolving.len() < 2 {
        return;
    }
    let coordinate = format!("{}.{name}", parent.name);
    let all: Vec<GraphId> = resolving.iter().map(|(graph, ..)| *graph).collect();
    let which = if closed.len() == all.len() {
        "all of them".to_owned()
    } else {
        cx.names(&closed)
    };
    let unknown = misspelt_override(cx, has);
    let message = format!(
        "Non-shareable field \"{coordinate}\" is resolved from multiple subgraphs: it is resolved from {} and defined as non-shareable in {which}{unknown}",
        cx.names(&all)
    );
    let first = resolving
        .iter()
        .find(|(_, _, open)| !open)
        .map_or((0, None), |(graph, field, _)| (*graph, field.place));
    cx.error("INVALID_FIELD_SHARING", first.0, first.1, message);
}

/// An override from an unknown subgraph has no effect; it may be the cause.
fn misspelt_override(cx: &Context<'_>, has: &Sources<'_, Field>) -> String {
    let unknown = has.iter().find_map(|(graph, field)| {
        let from = &field.overrides.as_ref()?.from;
        let known = cx.models.iter().any(|model| model.name == *from);
        (!known).then_some((*graph, from))
    });
    unknown.map_or_else(
        || ".".to_owned(),
        |(graph, from)| {
            format!(
                " (please note that it has an @override directive in {} that targets an unknown subgraph \"{from}\").",
                cx.names(&[graph])
            )
        },
    )
}

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
    let resolving = resolving(cx, parent, name, has, overrides);
    let closed: Vec<GraphId> = resolving
        .iter()
        .filter(|one| !one.open)
        .map(|one| one.graph)
        .collect();
    let Some(first) = resolving.iter().find(|one| !one.open) else {
        return;
    };
    if resolving.len() < 2 {
        return;
    }
    let all: Vec<GraphId> = resolving.iter().map(|one| one.graph).collect();
    let all_closed = closed.len() == all.len();
    let which = if all_closed {
        "all of them".to_owned()
    } else {
        cx.names(&closed)
    };
    let message = format!(
        "Non-shareable field \"{}.{name}\" is resolved from multiple subgraphs: it is resolved from {} and defined as non-shareable in {which}{}",
        parent.name,
        cx.names(&all),
        misspelt_override(cx, has)
    );
    cx.error("INVALID_FIELD_SHARING", first.graph, first.field.place, message);
}

/// A subgraph that resolves the field.
struct Resolving<'a> {
    graph: GraphId,
    field: &'a Field,
    /// It lets others resolve the field too.
    open: bool,
}

/// Who resolves the field: not who lost it, nor who only names it; with interface objects that give it.
fn resolving<'a>(
    cx: &Context<'a>,
    parent: &MType,
    name: &Name,
    has: &Sources<'a, Field>,
    overrides: &Overrides,
) -> Vec<Resolving<'a>> {
    let mut found = Vec::new();
    for (graph, field) in has.iter().filter(|(graph, _)| !overrides.is_overridden(*graph)) {
        let model = &cx.models[*graph];
        if !model.fully_external(&parent.name, field) {
            let in_key = model.key_fields.contains(&(parent.name.clone(), name.clone()));
            let open = field.shareable || field.external || in_key;
            found.push(Resolving {
                graph: *graph,
                field,
                open,
            });
        }
    }
    for (graph, field, in_key) in interface_objects::abstracted(cx, parent, name) {
        found.push(Resolving {
            graph,
            field,
            open: field.shareable || in_key,
        });
    }
    found
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

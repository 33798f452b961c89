//! Descriptions: the one that most subgraphs give.

use apollo_compiler::Node;

use super::merged::{GraphId, Merged};
use super::{Context, Sources};
use crate::model::Place;

/// Picks the commonest description; the first of equals. An empty one loses to any other.
pub(super) fn merge(
    cx: &mut Context<'_>,
    element: &str,
    sources: &[(GraphId, Place, Option<&Node<str>>)],
) -> Option<Node<str>> {
    let mut counts: Vec<(&Node<str>, i64)> = Vec::new();
    for (_, _, description) in sources {
        let Some(description) = description else { continue };
        match counts
            .iter_mut()
            .find(|(known, _)| known.as_str() == description.as_str())
        {
            Some((_, count)) => *count += 1,
            None => counts.push((description, if description.is_empty() { i64::MIN / 2 } else { 1 })),
        }
    }
    let best = counts.iter().map(|(_, count)| *count).max()?;
    let winner = counts
        .iter()
        .find(|(_, count)| *count == best)
        .map(|(text, _)| (*text).clone())?;
    if counts.len() > 1 {
        let other = sources
            .iter()
            .find(|(_, _, text)| text.is_some_and(|text| text.as_str() != winner.as_str()));
        if let Some((graph, place, _)) = other {
            let message = format!(
                "{element} has inconsistent descriptions across subgraphs; the supergraph uses: {:?}.",
                winner.as_str()
            );
            cx.hint("INCONSISTENT_DESCRIPTION", *graph, *place, message);
        }
    }
    Some(winner)
}

/// The schema's own description and tags.
pub(super) fn merge_schema(cx: &mut Context<'_>, merged: &mut Merged) {
    let models = cx.models;
    let sources: Sources<'_, _> = models.iter().enumerate().collect();
    let texts: Vec<_> = sources
        .iter()
        .map(|(graph, model)| (*graph, None, model.schema_description.as_ref()))
        .collect();
    merged.description = merge(cx, "The schema", &texts);
    for model in models {
        merged.schema_tags.extend(model.schema_tags.iter().cloned());
        let asked = model
            .schema_custom
            .iter()
            .filter(|each| model.composes(&each.name));
        for directive in asked {
            if !merged.schema_custom.contains(directive) {
                merged.schema_custom.push(directive.clone());
            }
        }
    }
    merged.schema_tags.sort();
}

//! A directive that goes into the supergraph must be imported under one name everywhere.
//!
//! <https://specs.apollo.dev/link/v1.0/#@link.import>

use std::collections::BTreeMap;

use super::Context;
use super::merged::GraphId;
use crate::model::Place;

/// Federation's directives that are merged into the supergraph.
const MERGED: [&str; 7] = [
    "authenticated",
    "cost",
    "inaccessible",
    "listSize",
    "policy",
    "requiresScopes",
    "tag",
];

/// Compares the imports of all subgraphs.
pub(super) fn check(cx: &mut Context<'_>) {
    for directive in MERGED {
        let mut names: BTreeMap<&str, Vec<(GraphId, Place)>> = BTreeMap::new();
        for (graph, model) in cx.models.iter().enumerate() {
            if let Some((local, place)) = model.imported.get(directive) {
                names.entry(local).or_default().push((graph, *place));
            }
        }
        if names.len() > 1 {
            report(cx, directive, &names);
        }
    }
}

fn report(cx: &mut Context<'_>, directive: &str, names: &BTreeMap<&str, Vec<(GraphId, Place)>>) {
    let describe = |(name, graphs): (&&str, &Vec<(GraphId, Place)>)| {
        let graphs: Vec<GraphId> = graphs.iter().map(|(graph, _)| *graph).collect();
        format!("\"@{name}\" in {}", cx.names(&graphs))
    };
    let parts: Vec<String> = names.iter().map(describe).collect();
    let message = format!(
        "The \"@{directive}\" directive is imported with mismatched name between subgraphs: it is imported as {}. Import it under one name in all of them.",
        parts.join(" but ")
    );
    let uses = || names.iter().filter(|(name, _)| **name != directive).chain(names);
    if let Some((graph, place)) = uses().next().and_then(|(_, graphs)| graphs.first()) {
        cx.error("LINK_IMPORT_NAME_MISMATCH", *graph, *place, message);
    }
}

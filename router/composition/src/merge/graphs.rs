//! `join__Graph`: a valid, unique enum value for each subgraph.
//!
//! <https://specs.apollo.dev/join/v0.3/#join__Graph>

use std::collections::{BTreeMap, HashSet};

use super::merged::Graph;
use crate::model::Model;

/// Names the graphs, in the models' order.
pub(super) fn graphs(models: &[Model]) -> Vec<Graph> {
    let sanitized: Vec<String> = models.iter().map(|model| sanitize(&model.name)).collect();
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for id in &sanitized {
        *groups.entry(id).or_default() += 1;
    }
    let mut taken: HashSet<String> = groups
        .iter()
        .filter(|(_, count)| **count == 1)
        .map(|(id, _)| (*id).to_owned())
        .collect();
    let mut graphs = Vec::with_capacity(models.len());
    for (model, base) in models.iter().zip(&sanitized) {
        let id = if groups[base.as_str()] == 1 {
            base.clone()
        } else {
            numbered(base, &mut taken)
        };
        graphs.push(Graph {
            id,
            name: model.name.clone(),
            url: model.url.clone(),
        });
    }
    graphs
}

fn numbered(base: &str, taken: &mut HashSet<String>) -> String {
    let free = (1..)
        .map(|n| format!("{base}_{n}"))
        .find(|id| !taken.contains(id));
    let id = free.expect("numbers do not run out");
    taken.insert(id.clone());
    id
}

/// Upper case, everything else an underscore; never starts with a digit or ends in `_1`, which numbers use.
fn sanitize(name: &str) -> String {
    let mapped: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    if !mapped.contains(|c: char| c.is_ascii_alphanumeric()) {
        return "SUBGRAPH".to_owned();
    }
    let mapped = mapped.trim_start_matches('_');
    let starts_with_digit = mapped.starts_with(|c: char| c.is_ascii_digit());
    let tail = mapped.rsplit('_').next().unwrap_or_default();
    let numbered = mapped.contains('_') && !tail.is_empty() && tail.chars().all(|c| c.is_ascii_digit());
    let head = if starts_with_digit { "_" } else { "" };
    let end = if numbered { "_" } else { "" };
    format!("{head}{mapped}{end}")
}

//! Writes a generated case as a case folder.
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::differential::Pair;
use crate::generate::graph::name;
use crate::generate::{sdl, view};
use crate::shrink::Failed;

/// The files of the folder: name and text. The expected answer is that of the whole.
pub fn files(failed: &Failed) -> Vec<(String, String)> {
    let graph = &failed.graph;
    let mut files = Vec::new();
    let mut data: BTreeMap<String, Value> = BTreeMap::new();
    for at in graph.seated() {
        files.push((format!("{}.graphql", name(at)), sdl::subgraph(graph, at)));
        data.insert(name(at), view::subgraph(graph, at));
    }
    files.push(("data.yaml".to_owned(), yaml(&json!(data))));
    if let Some(request) = &failed.request {
        let expected = Pair::new(graph).map(|pair| pair.expected(request).0);
        let expected: Value = expected.map_or(Value::Null, |data| {
            serde_json::from_str(&data).unwrap_or_default()
        });
        let mut operation = json!({ "shows": "what it shows", "query": request.query, "data": expected });
        if !request.variables.is_empty() {
            operation["variables"] = Value::Object(request.variables.clone());
        }
        files.push(("operations.yaml".to_owned(), yaml(&json!([operation]))));
    }
    files
}

fn yaml(value: &Value) -> String {
    serde_norway::to_string(value).unwrap_or_default()
}

/// Writes the folder.
///
/// # Errors
/// Files that can't be written.
pub fn save(folder: &Path, failed: &Failed) -> Result<()> {
    fs::create_dir_all(folder)?;
    for (name, text) in files(failed) {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

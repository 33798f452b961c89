//! Runs a case: mock subgraphs, a gateway in front of them, operations and their answers.
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use baedal_router::config::{Config, SubgraphConfig};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::server::{Counters, Mock};

/// One operation of a case's `operations.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// What the operation shows.
    pub shows: String,
    /// GraphQL text.
    pub query: String,
    /// Its variables.
    #[serde(default)]
    pub variables: Value,
    /// Expected `data`.
    #[serde(default)]
    pub data: Value,
    /// Expected errors: each as many of message (a part of it), path and code as are written.
    #[serde(default)]
    pub errors: Vec<ExpectedError>,
    /// Expected calls by subgraph, where it matters.
    pub calls: Option<BTreeMap<String, usize>>,
}

/// An expected error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedError {
    /// Part of its message.
    pub message: Option<String>,
    /// Its path.
    pub path: Option<Value>,
    /// Its `extensions.code`.
    pub code: Option<String>,
}

/// A case folder, loaded.
pub struct Case {
    /// Subgraph name → SDL.
    pub subgraphs: BTreeMap<String, String>,
    /// Subgraph name → its data.
    pub data: BTreeMap<String, Value>,
    /// What to ask.
    pub operations: Vec<Operation>,
}

impl Case {
    /// Reads `NAME.graphql` files, `data.yaml` and `operations.yaml`.
    ///
    /// # Errors
    /// A file that is missing or cannot be read.
    pub fn load(folder: &Path) -> Result<Case> {
        let text = |name: &str| {
            fs::read_to_string(folder.join(name)).with_context(|| format!("{name} of {}", folder.display()))
        };
        let mut subgraphs = BTreeMap::new();
        for entry in fs::read_dir(folder)?.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|end| end == "graphql") {
                let name = path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                subgraphs.insert(name, fs::read_to_string(&path)?);
            }
        }
        let operations = serde_norway::from_str(&text("operations.yaml")?)
            .with_context(|| format!("{}", folder.display()))?;
        let data =
            serde_norway::from_str(&text("data.yaml")?).with_context(|| format!("{}", folder.display()))?;
        Ok(Case {
            subgraphs,
            data,
            operations,
        })
    }
}

/// Runs every operation of a case and compares answers and calls.
///
/// # Errors
/// Every difference, in one message.
pub async fn check(case: &Case) -> Result<()> {
    let counters = Counters::default();
    let mut mocks = BTreeMap::new();
    let mut config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        ..Config::default()
    };
    for (name, sdl) in &case.subgraphs {
        let data = case.data.get(name).cloned().unwrap_or_default();
        let mock = Mock::start(name, sdl, data, counters.clone())
            .await
            .with_context(|| name.clone())?;
        config
            .subgraphs
            .insert(name.clone(), SubgraphConfig::at(mock.url().parse()?));
        mocks.insert(name.clone(), mock);
    }
    let gateway = baedal_router::start(config).await?;
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .build()?;
    let url = format!("http://{}/graphql", gateway.addr());
    let mut differences = Vec::new();
    for operation in &case.operations {
        mocks.values().for_each(Mock::forget_calls);
        let body = json!({ "query": operation.query, "variables": operation.variables });
        let answer: Value = client.post(&url).json(&body).send().await?.json().await?;
        let calls = mocks
            .iter()
            .map(|(name, mock)| (name.clone(), mock.take_calls()))
            .collect();
        differences.extend(
            differs(operation, &answer, &calls).map(|why| format!("«{}»: {why}\n{answer}", operation.shows)),
        );
    }
    gateway.shutdown().await;
    if !differences.is_empty() {
        bail!("{}", differences.join("\n\n"));
    }
    Ok(())
}

fn differs(operation: &Operation, answer: &Value, calls: &BTreeMap<String, usize>) -> Option<String> {
    let data = answer.get("data").unwrap_or(&Value::Null);
    if operation.data != *data {
        return Some(format!(
            "data differs\n  expected {}\n  got      {data}",
            operation.data
        ));
    }
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let unmatched = operation
        .errors
        .iter()
        .find(|expected| !errors.iter().any(|error| fits(expected, error)));
    if let Some(expected) = unmatched {
        return Some(format!("no error like {expected:?}"));
    }
    if operation.errors.is_empty() && !errors.is_empty() {
        return Some("errors where none are expected".to_owned());
    }
    let wanted = operation.calls.as_ref()?;
    let differing = calls
        .iter()
        .find(|(name, count)| wanted.get(*name).unwrap_or(&0) != *count);
    differing.map(|(name, count)| format!("{count} calls of {name}, expected {:?}", wanted.get(name)))
}

fn fits(expected: &ExpectedError, error: &Value) -> bool {
    let message = error["message"].as_str().unwrap_or_default();
    expected
        .message
        .as_ref()
        .is_none_or(|part| message.contains(part.as_str()))
        && expected.path.as_ref().is_none_or(|path| error["path"] == *path)
        && expected
            .code
            .as_ref()
            .is_none_or(|code| error["extensions"]["code"] == code.as_str())
}

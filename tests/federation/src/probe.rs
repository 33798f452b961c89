//! Asks a case's graph operations that nobody wrote. What they must answer is not known; that every call keeps to
//! the subgraphs' protocol is, whatever the data.
use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use apollo_compiler::ExecutableDocument;
use baedal_planner::Supergraph;
use serde_json::{Value, json};

use crate::case::{Case, Running};
use crate::generate::{Numbers, operation};

/// What a mock says of a call that a gateway must never make, and the gateway of a plan that it could not carry out.
const VIOLATIONS: [&str; 6] = [
    "got an invalid query",
    "no resolvable key of",
    "which nothing asked for",
    "holds the same entity twice",
    "does not use",
    "no representations",
];

/// Asks so many generated operations.
///
/// # Errors
/// Calls against the protocol, each with its operation.
pub async fn probe(case: &Case, seed: u64, count: u64) -> Result<()> {
    let supergraph = Supergraph::parse(&case.supergraph()?)?;
    let schema = supergraph.api_schema();
    let running = Running::start(case, None).await?;
    let mut found = Vec::new();
    for number in 0..count {
        let request = operation(schema, false, Numbers::part(seed, number));
        if ExecutableDocument::parse_and_validate(schema, &request.query, "query.graphql").is_err() {
            continue;
        }
        let body = json!({ "query": request.query, "variables": request.variables });
        let answer = running.ask(&body, &BTreeMap::new()).await?;
        let parsed: Value = serde_json::from_str(&answer).map_err(|error| anyhow!("{error}: {answer}"))?;
        let errors = parsed["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let texts = errors.iter().filter_map(|error| error["message"].as_str());
        let violation = texts
            .into_iter()
            .find(|text| VIOLATIONS.iter().any(|part| text.contains(part)));
        found.extend(violation.map(|text| format!("{}\n{}\n{text}", request.query, body["variables"])));
    }
    running.stop().await;
    if !found.is_empty() {
        bail!("{}", found.join("\n\n"));
    }
    Ok(())
}

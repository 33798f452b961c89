//! The access log: one line for each request, and one with the plan for each slow one. `BAEDAL_LOG=json` makes them JSON.
//!
//! A line names the operation and never its variables, the caller's token or a header besides the request id.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::watch::Answered;
use crate::errors::Refusal;

/// A request that was answered.
pub struct Ended<'a> {
    /// Its id.
    pub id: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
    /// Codes of its errors.
    pub codes: &'a [String],
}

/// Writes the line of a request.
pub fn log(ended: &Ended<'_>, outcome: &Result<Answered, Refusal>) {
    let answered = outcome.as_ref().ok();
    let (operation, hash) = answered.map_or(("none", String::new()), name_and_hash);
    tracing::info!(
        target: "baedal_router::access",
        request_id = ended.id,
        operation,
        hash,
        status = ended.status,
        duration_ms = ended.took.as_secs_f64() * 1e3,
        subgraph_calls = answered.map_or(0, |answered| answered.answer.calls),
        cached_parts = answered.map_or(0, Answered::cached_parts),
        bytes = answered.map_or(0, |answered| answered.answer.body.len()),
        errors = answered.map_or(1, |answered| answered.answer.errors),
        codes = ended.codes.join(","),
        "request"
    );
}

/// Writes the line of a slow request.
pub fn log_slow(ended: &Ended<'_>, answered: &Answered) {
    let (operation, hash) = name_and_hash(answered);
    tracing::warn!(
        target: "baedal_router::slow",
        request_id = ended.id,
        operation,
        hash,
        duration_ms = ended.took.as_secs_f64() * 1e3,
        subgraph_calls = answered.answer.calls,
        plan = %answered.told.program.plan(),
        "a slow request (log.slow)"
    );
}

fn name_and_hash(answered: &Answered) -> (&str, String) {
    let operation = &answered.told.operation;
    (&operation.name, format!("{:016x}", operation.hash))
}

/// The codes of an answer's errors (or of a part of one), each once.
pub fn codes(body: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "data")]
        _data: Option<IgnoredAny>,
        #[serde(default)]
        errors: Vec<Entry>,
        #[serde(default)]
        incremental: Vec<Body>,
        #[serde(default)]
        completed: Vec<Body>,
    }
    #[derive(Deserialize)]
    struct Entry {
        extensions: Option<Extensions>,
    }
    #[derive(Deserialize)]
    struct Extensions {
        code: Option<String>,
    }
    let Ok(body) = serde_json::from_slice::<Body>(body) else {
        return Vec::new();
    };
    let later = body.incremental.into_iter().chain(body.completed);
    let errors = body.errors.into_iter().chain(later.flat_map(|part| part.errors));
    let codes = errors.map(|error| {
        let code = error.extensions.and_then(|extensions| extensions.code);
        code.unwrap_or_else(|| "none".to_owned())
    });
    let mut codes: Vec<String> = codes.collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

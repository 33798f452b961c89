//! What the gateway's plan asks of subgraphs for one request, and the answer to it. Taken from the same planner and
//! executor that the gateway is made of, so that the bare calls are the calls it makes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, anyhow};
use baedal_composition::Subgraph;
use baedal_executor::{CallError, Inputs, Program, SubgraphCall, Subgraphs, execute};
use baedal_planner::{Access, Operation, Settings, Supergraph};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::domain::{self, Scope};

/// The calls of one request, step by step, and its answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Recording {
    /// Calls of one step wait for all of those before.
    pub steps: Vec<Vec<Call>>,
    /// The bytes of the answer.
    pub answer: String,
}

/// A call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Where.
    pub url: String,
    /// What is sent.
    pub body: String,
}

impl Recording {
    /// Reads one from a file.
    pub fn read(file: &Path) -> Result<Recording> {
        let text = std::fs::read(file).with_context(|| file.display().to_string())?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Writes it to a file.
    pub fn write(&self, file: &Path) -> Result<()> {
        std::fs::write(file, serde_json::to_vec(self)?).with_context(|| file.display().to_string())
    }

    /// How many calls there are.
    pub fn calls(&self) -> usize {
        self.steps.iter().map(Vec::len).sum()
    }
}

/// Composes the subgraphs at these URLs.
pub fn compose(urls: &[(Scope, String)]) -> Result<String> {
    let subgraph = |(scope, url): &(Scope, String)| Subgraph {
        name: scope.name().to_owned(),
        url: url.clone(),
        sdl: domain::sdl(*scope),
    };
    let subgraphs: Vec<Subgraph> = urls.iter().map(subgraph).collect();
    let composed = baedal_composition::compose(&subgraphs).map_err(|errors| anyhow!("{errors:?}"))?;
    Ok(composed.supergraph_sdl)
}

/// The program of an operation without variables.
pub fn program(supergraph: &str, query: &str) -> Result<Program> {
    let supergraph = Supergraph::parse(supergraph).map_err(|error| anyhow!("{error}"))?;
    let operation = Operation::parse(&supergraph, query, None)?;
    let (variables, access) = (Map::new(), Access::unrestricted());
    let plan = baedal_planner::plan(&supergraph, &operation, &variables, &Settings::default(), &access)?;
    Ok(Program::compile(Arc::new(plan)))
}

/// Plans and runs `query`, and gives its calls with the answer.
pub fn record(supergraph: &str, urls: &[(Scope, String)], query: &str) -> Result<Recording> {
    let program = program(supergraph, query)?;
    let mut steps_of: Vec<usize> = Vec::new();
    for fetch in &program.plan().fetches {
        let step = fetch.after.iter().map(|before| steps_of[*before] + 1).max();
        steps_of.push(step.unwrap_or(0));
    }
    let recorder = Recorder {
        urls: urls
            .iter()
            .map(|(scope, url)| (scope.name(), (*scope, url.clone())))
            .collect(),
        calls: Mutex::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let answer = runtime.block_on(execute(&program, &Inputs::default(), &recorder));
    let mut steps = vec![Vec::new(); steps_of.iter().max().map_or(0, |last| last + 1)];
    for (fetch, call) in recorder.calls.into_inner().expect("no holder panics") {
        steps[steps_of[fetch]].push(call);
    }
    steps.retain(|step| !step.is_empty());
    Ok(Recording {
        steps,
        answer: String::from_utf8(answer.body.into())?,
    })
}

struct Recorder {
    urls: HashMap<&'static str, (Scope, String)>,
    calls: Mutex<Vec<(usize, Call)>>,
}

impl Subgraphs for Recorder {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        let (scope, url) = &self.urls[call.subgraph];
        let answer = domain::answer(*scope, &call.body);
        let call_made = Call {
            url: url.clone(),
            body: String::from_utf8(call.body.into()).expect("JSON is UTF-8"),
        };
        let mut calls = self.calls.lock().expect("no holder panics");
        calls.push((call.fetch, call_made));
        Ok(answer.into())
    }
}

//! Runs a case: mock subgraphs, a gateway in front of them, operations and their answers.
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use baedal_composition::{Subgraph, compose};
use baedal_planner::{Access, Settings, Supergraph};
use baedal_router::config::{Config, SubgraphConfig};
use serde::Deserialize;
use serde_json::{Value, json};
use serde_norway::Value as Yaml;

use crate::fault::Fault;
use crate::server::{Counters, Mock};
use crate::whole::{Whole, expected};

/// One operation of a case's `operations.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// What the operation shows.
    pub shows: String,
    /// GraphQL text.
    pub query: String,
    /// `operationName`.
    pub name: Option<String>,
    /// Its variables.
    #[serde(default)]
    pub variables: Value,
    /// Expected `data`, its fields in this order. In a case with `whole.yaml` it is what the whole answers, unless it
    /// is given or errors are.
    #[serde(default)]
    pub data: Yaml,
    /// Expected errors, all of them: each as many of message (a part of it), path and code as are written.
    #[serde(default)]
    pub errors: Vec<ExpectedError>,
    /// Expected calls by subgraph, where it matters.
    pub calls: Option<BTreeMap<String, usize>>,
    /// Whether its plan is part of the case's `plan.snap`.
    #[serde(default)]
    pub plan: bool,
    /// Subgraphs that misbehave.
    #[serde(default)]
    pub faults: BTreeMap<String, Fault>,
}

/// An expected error.
#[derive(Clone, Debug, Deserialize)]
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
    /// The supergraph as another composition may have written it; the case must hold from that too.
    pub foreign: Option<PathBuf>,
    /// Labels of `@override(label:)` that are active (`labels.yaml`).
    pub labels: BTreeSet<String>,
    /// The data of the whole graph, where the case is written so.
    pub whole: Option<Whole>,
}

impl Case {
    /// The composed supergraph.
    ///
    /// # Errors
    /// Subgraphs that do not compose.
    pub fn supergraph(&self) -> Result<String> {
        let subgraphs = self.subgraphs.iter().map(|(name, sdl)| Subgraph {
            name: name.clone(),
            url: format!("http://{name}/graphql"),
            sdl: sdl.clone(),
        });
        let composed = compose(&subgraphs.collect::<Vec<_>>());
        let composed = composed.map_err(|errors| {
            let texts: Vec<String> = errors
                .iter()
                .map(|error| format!("{}: {}", error.code, error.message))
                .collect();
            anyhow!("does not compose\n{}", texts.join("\n"))
        })?;
        Ok(composed.supergraph_sdl)
    }

    /// The plans of the operations that ask for it, for people.
    ///
    /// # Errors
    /// Subgraphs that do not compose, an operation that cannot be planned.
    pub fn plans(&self) -> Result<String> {
        let supergraph = Supergraph::parse(&self.supergraph()?)?;
        let mut plans = String::new();
        for operation in self.operations.iter().filter(|operation| operation.plan) {
            let parsed =
                baedal_planner::Operation::parse(&supergraph, &operation.query, operation.name.as_deref())?;
            let given = operation.variables.as_object().cloned().unwrap_or_default();
            let coerced = parsed
                .coerce_variables(&supergraph, &given)
                .map_err(|errors| anyhow!("{errors:?}"))?;
            let plan = baedal_planner::plan(
                &supergraph,
                &parsed,
                &coerced,
                &Settings::default(),
                &Access::unrestricted(),
            )?;
            plans += &format!("{}\n{plan}\n", operation.shows);
        }
        Ok(plans)
    }

    /// Reads `NAME.graphql` files, `data.yaml` or `whole.yaml`, and `operations.yaml`; `supergraph.graphql`, where
    /// there is one, is no subgraph.
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
        let foreign = subgraphs
            .remove("supergraph")
            .map(|_| folder.join("supergraph.graphql"));
        let operations = serde_norway::from_str(&text("operations.yaml")?)
            .with_context(|| format!("{}", folder.display()))?;
        let labels = match text("labels.yaml") {
            Ok(labels) => serde_norway::from_str(&labels)?,
            Err(_) => BTreeSet::new(),
        };
        let place = || format!("{}", folder.display());
        let whole = match text("whole.yaml") {
            Ok(whole) => Some(Whole::new(serde_norway::from_str(&whole).with_context(place)?)?),
            Err(_) => None,
        };
        let data = match &whole {
            Some(whole) => whole.split(&subgraphs, &labels)?,
            None => serde_norway::from_str(&text("data.yaml")?).with_context(place)?,
        };
        let mut case = Case {
            subgraphs,
            data,
            operations,
            foreign,
            labels,
            whole,
        };
        case.expect_the_whole().with_context(place)?;
        Ok(case)
    }

    /// Operations of which nothing is said must answer what the whole does.
    fn expect_the_whole(&mut self) -> Result<()> {
        let open = |operation: &&mut Operation| operation.data == Yaml::Null && operation.errors.is_empty();
        if self.whole.is_none() {
            return Ok(());
        }
        let mut operations = std::mem::take(&mut self.operations);
        let open: Vec<&mut Operation> = operations.iter_mut().filter(open).collect();
        let queries = open.iter().map(|one| (one.query.clone(), one.variables.clone()));
        let answers = expected(self, &queries.collect::<Vec<_>>());
        for (operation, answer) in open.into_iter().zip(answers?) {
            // Read as YAML, which keeps the order of fields.
            operation.data = serde_norway::from_str(&answer)?;
        }
        self.operations = operations;
        Ok(())
    }
}

/// The gateway's patience in cases with a slow subgraph.
const IMPATIENT: Duration = Duration::from_secs(2);

/// Runs every operation of a case and compares answers and calls: with the supergraph that we compose, and with the
/// case's own where it has one.
///
/// # Errors
/// Every difference, in one message.
pub async fn check(case: &Case) -> Result<()> {
    case.supergraph()?;
    serve(case, None).await?;
    match &case.foreign {
        Some(file) => serve(case, Some(file))
            .await
            .map_err(|error| anyhow!("with supergraph.graphql: {error:#}")),
        None => Ok(()),
    }
}

/// A case's mocks and the gateway before them.
pub(crate) struct Running {
    mocks: BTreeMap<String, Mock>,
    gateway: baedal_router::Running,
    counters: Counters,
    client: reqwest::Client,
}

impl Running {
    pub(crate) async fn start(case: &Case, supergraph: Option<&Path>) -> Result<Running> {
        let counters = Counters::default();
        let mut mocks = BTreeMap::new();
        let mut config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            ..Config::default()
        };
        config.supergraph.file = supergraph.map(Path::to_owned);
        config.override_labels.clone_from(&case.labels);
        // Operations of a case are independent: faults made for one must not keep a subgraph from the next.
        config.traffic.breaker.enabled = Some(false);
        let slow = |fault: &Fault| matches!(fault, Fault::Slow);
        if case
            .operations
            .iter()
            .any(|operation| operation.faults.values().any(slow))
        {
            config.traffic.timeout = IMPATIENT;
        }
        for (name, sdl) in &case.subgraphs {
            let data = case.data.get(name).cloned().unwrap_or_default();
            let mock = Mock::start(name, sdl, data, counters.clone())
                .await
                .with_context(|| name.clone())?;
            let place = SubgraphConfig::at(mock.url().parse()?);
            config.subgraphs.insert(name.clone(), place);
            mocks.insert(name.clone(), mock);
        }
        Ok(Running {
            mocks,
            gateway: baedal_router::start(config).await?,
            counters,
            client: reqwest::Client::builder()
                .timeout(Duration::from_secs(30))
                .build()?,
        })
    }

    /// The answer to a request, with all counts begun anew.
    pub(crate) async fn ask(&self, body: &Value, faults: &BTreeMap<String, Fault>) -> Result<String> {
        for (name, mock) in &self.mocks {
            mock.prepare(faults.get(name).cloned());
        }
        self.counters.lock().expect("counters are plain numbers").clear();
        let url = format!("http://{}/graphql", self.gateway.addr());
        Ok(self.client.post(&url).json(body).send().await?.text().await?)
    }

    pub(crate) async fn stop(self) {
        self.gateway.shutdown().await;
    }
}

async fn serve(case: &Case, supergraph: Option<&Path>) -> Result<()> {
    let running = Running::start(case, supergraph).await?;
    let mut differences = Vec::new();
    for operation in &case.operations {
        let body = json!({ "query": operation.query, "operationName": operation.name, "variables": operation.variables });
        let answer = running.ask(&body, &operation.faults).await?;
        let calls = running
            .mocks
            .iter()
            .map(|(name, mock)| (name.clone(), mock.take_calls()))
            .collect();
        let difference = differs(operation, &answer, &calls)?;
        differences.extend(difference.map(|why| format!("«{}»: {why}\n{answer}", operation.shows)));
    }
    running.stop().await;
    if !differences.is_empty() {
        bail!("{}", differences.join("\n\n"));
    }
    Ok(())
}

fn differs(operation: &Operation, answer: &str, calls: &BTreeMap<String, usize>) -> Result<Option<String>> {
    // Read as YAML, which keeps the order of fields.
    let ordered: Yaml = serde_norway::from_str(answer)?;
    let data = ordered.get("data").unwrap_or(&Yaml::Null);
    if text(&operation.data) != text(data) {
        let (expected, got) = (text(&operation.data), text(data));
        return Ok(Some(format!(
            "data differs\n  expected {expected}\n  got      {got}"
        )));
    }
    let answer: Value = serde_json::from_str(answer)?;
    Ok(errors_differ(operation, &answer).or_else(|| {
        let wanted = operation.calls.as_ref()?;
        let mut calls = calls.iter();
        let (name, count) = calls.find(|(name, count)| wanted.get(*name).unwrap_or(&0) != *count)?;
        Some(format!(
            "{count} calls of {name}, expected {:?}",
            wanted.get(name)
        ))
    }))
}

fn errors_differ(operation: &Operation, answer: &Value) -> Option<String> {
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let code = |error: &Value| error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED";
    let refused = errors.iter().any(code);
    if !refused && errors.len() != operation.errors.len() {
        return Some(format!(
            "{} errors, expected {}",
            errors.len(),
            operation.errors.len()
        ));
    }
    let mut expected = operation.errors.iter();
    if let Some(missing) = expected.find(|expected| !errors.iter().any(|error| fits(expected, error))) {
        return Some(format!("no error like {missing:?}"));
    }
    // A request that is not valid has no data at all (GraphQL specification, 7.1.2).
    (refused && answer.get("data").is_some()).then(|| "data where there must be none".to_owned())
}

/// A value on one line, fields in their order.
fn text(value: &Yaml) -> String {
    match value {
        Yaml::Sequence(items) => {
            let items: Vec<String> = items.iter().map(text).collect();
            format!("[{}]", items.join(", "))
        }
        Yaml::Mapping(fields) => {
            let field =
                |(name, value): (&Yaml, &Yaml)| format!("{}: {}", name.as_str().unwrap_or("?"), text(value));
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Yaml::Null => "null".to_owned(),
        Yaml::Bool(value) => value.to_string(),
        Yaml::Number(number) => number.to_string(),
        Yaml::String(text) => format!("{text:?}"),
        Yaml::Tagged(tagged) => text(&tagged.value),
    }
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

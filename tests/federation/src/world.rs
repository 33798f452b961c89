//! A case in one process, without HTTP: composed, planned, executed against its mock subgraphs.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::Type;
use apollo_compiler::executable::{Selection, SelectionSet};
use baedal_composition::{Diagnostic, compose};
use baedal_executor::{
    CallError, Format, Inputs, Piece, Program, SubgraphCall, Subgraphs, execute, execute_incremental,
};
use baedal_planner::plan::OperationKind;
use baedal_planner::{Access, Operation, Plan, Settings, Supergraph, SupergraphError, plan};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::server::{Counters, Subgraph};

/// A composed graph and its subgraphs.
pub struct World {
    /// What clients see and the planner reads.
    pub supergraph: Supergraph,
    subgraphs: BTreeMap<String, Subgraph>,
    settings: Settings,
    counters: Counters,
}

/// Why there is no world.
#[derive(Debug, thiserror::Error)]
pub enum NoWorld {
    /// Composition refuses the subgraphs.
    #[error("composition refuses: {}", .0.iter().map(|one| format!("{}: {}", one.code, one.message)).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Diagnostic>),
    /// The composed supergraph can't be read, or a subgraph's SDL is no schema.
    #[error("{0}")]
    Unreadable(String),
}

/// Why an operation has no plan.
#[derive(Debug, thiserror::Error)]
pub enum NoPlan {
    /// The operation is not valid; what is wrong.
    #[error("invalid: {0}")]
    Invalid(String),
    /// It is valid, and can't be planned.
    #[error("{0}")]
    Planner(#[from] baedal_planner::PlanError),
}

/// A client's answer, and the calls made for it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// JSON text of `data`.
    pub data: String,
    /// `errors`.
    pub errors: Vec<Value>,
    /// What the subgraphs were asked, in the order in which they answered.
    pub calls: Vec<Call>,
}

/// One call of a subgraph.
#[derive(Clone, Debug)]
pub struct Call {
    /// Index of the fetch in the plan.
    pub fetch: usize,
    /// Whom.
    pub subgraph: String,
    /// Request body.
    pub request: Value,
    /// Response body; none: the call failed.
    pub response: Option<String>,
}

impl World {
    /// Composes subgraphs (name → SDL) with their data.
    ///
    /// # Errors
    /// Subgraphs that composition refuses, or a result that can't be read.
    pub fn new(
        sdls: &BTreeMap<String, String>,
        data: &BTreeMap<String, Value>,
        active_labels: BTreeSet<String>,
    ) -> Result<World, NoWorld> {
        let inputs = sdls.iter().map(|(name, sdl)| baedal_composition::Subgraph {
            name: name.clone(),
            url: format!("http://{name}"),
            sdl: sdl.clone(),
        });
        let inputs: Vec<_> = inputs.collect();
        let composed = compose(&inputs).map_err(NoWorld::Refused)?;
        let supergraph = Supergraph::parse(&composed.supergraph_sdl)
            .map_err(|error| NoWorld::Unreadable(format!("{error}\n{}", composed.supergraph_sdl)))?;
        let counters = Counters::default();
        let mut subgraphs = BTreeMap::new();
        for (name, sdl) in sdls {
            let data = data.get(name).cloned().unwrap_or_default();
            let subgraph = Subgraph::new(name, sdl, data, counters.clone());
            let subgraph = subgraph.map_err(|error| NoWorld::Unreadable(format!("{name}: {error}")))?;
            subgraphs.insert(name.clone(), subgraph);
        }
        let settings = Settings {
            active_labels,
            ..Settings::default()
        };
        Ok(World {
            supergraph,
            subgraphs,
            settings,
            counters,
        })
    }

    /// The same for clients that take answers in parts.
    ///
    /// # Errors
    /// A public schema in which `@defer` cannot be defined.
    pub fn incremental(mut self) -> Result<World, SupergraphError> {
        self.supergraph = self.supergraph.with_incremental()?;
        self.settings.incremental = true;
        Ok(self)
    }

    /// Plans an operation; gives its coerced variables too.
    ///
    /// # Errors
    /// An operation that is not valid, or has no plan.
    pub fn plan(&self, query: &str, variables: &Map<String, Value>) -> Result<(Plan, Inputs), NoPlan> {
        let operation = Operation::parse(&self.supergraph, query, None);
        let operation = operation.map_err(|error| NoPlan::Invalid(error.to_string()))?;
        let variables = operation.coerce_variables(&self.supergraph, variables);
        let variables = variables.map_err(|errors| NoPlan::Invalid(format!("{errors:?}")))?;
        let plan = plan(
            &self.supergraph,
            &operation,
            &variables,
            &self.settings,
            &Access::unrestricted(),
        )?;
        Ok((plan, Inputs::with_variables(&variables)))
    }

    /// Executes a plan. `disturb` may change what a subgraph answers.
    pub fn run(
        &self,
        plan: &Plan,
        inputs: &Inputs,
        disturb: impl Fn(&Call) -> Disturbance + Send + Sync,
    ) -> Outcome {
        self.forget_counts();
        let program = Program::compile(Arc::new(plan.clone()));
        let port = Port {
            world: self,
            disturb,
            calls: Mutex::default(),
        };
        let answer = block_on(execute(&program, inputs, &port));
        let body: Body<'_> = serde_json::from_slice(&answer.body).expect("the executor writes JSON");
        Outcome {
            data: body.data.get().to_owned(),
            errors: body.errors,
            calls: port.calls.into_inner().expect("a call does not panic"),
        }
    }

    /// Executes a plan in parts. Each call is answered after as many turns of the others as `disturb` says besides.
    pub fn run_in_parts(
        &self,
        plan: &Plan,
        inputs: &Inputs,
        format: Format,
        disturb: impl Fn(&Call) -> (usize, Disturbance) + Send + Sync,
    ) -> (Vec<Value>, Vec<Call>) {
        self.forget_counts();
        let program = Program::compile(Arc::new(plan.clone()));
        let port = Slow {
            port: Port {
                world: self,
                disturb: |call: &Call| disturb(call).1,
                calls: Mutex::default(),
            },
            turns: |fetch, body: &Bytes| {
                let call = Call {
                    fetch,
                    subgraph: String::new(),
                    request: serde_json::from_slice(body).expect("the executor writes JSON"),
                    response: None,
                };
                disturb(&call).0
            },
        };
        let mut pieces = Vec::new();
        let deliver = |piece: Piece| {
            pieces.push(serde_json::from_slice(&piece.body).expect("the executor writes JSON"));
        };
        block_on(execute_incremental(&program, inputs, &port, format, deliver));
        (
            pieces,
            port.port.calls.into_inner().expect("a call does not panic"),
        )
    }

    /// Places of a call's answer that may be null, as paths below `data`.
    pub fn nullable(&self, call: &Call) -> Vec<Vec<Value>> {
        let schema = self.subgraphs[&call.subgraph].schema();
        let query = call.request["query"].as_str().unwrap_or_default();
        let document = ExecutableDocument::parse_and_validate(schema, query, "query.graphql");
        let body = call.response.as_deref().unwrap_or_default();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let mut found = Vec::new();
        if let Ok(document) = &document
            && let Some(operation) = document.operations.iter().next()
        {
            let places = Nullable {
                document,
                data: &body["data"],
            };
            places.selection(&operation.selection_set, places.data, &mut Vec::new(), &mut found);
        }
        found
    }

    fn forget_counts(&self) {
        self.counters
            .lock()
            .expect("a counter is a plain assignment")
            .clear();
    }
}

/// Looks for places that may be null.
struct Nullable<'d> {
    document: &'d ExecutableDocument,
    data: &'d Value,
}

impl Nullable<'_> {
    fn selection(
        &self,
        set: &SelectionSet,
        object: &Value,
        path: &mut Vec<Value>,
        found: &mut Vec<Vec<Value>>,
    ) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let key = field.response_key().as_str();
                    if field.name != "__typename"
                        && let Some(value) = object.get(key)
                    {
                        path.push(key.into());
                        self.value(&field.definition.ty, &field.selection_set, value, path, found);
                        path.pop();
                    }
                }
                Selection::InlineFragment(it) => self.selection(&it.selection_set, object, path, found),
                Selection::FragmentSpread(it) => {
                    if let Some(fragment) = self.document.fragments.get(&it.fragment_name) {
                        self.selection(&fragment.selection_set, object, path, found);
                    }
                }
            }
        }
    }

    fn value(
        &self,
        ty: &Type,
        set: &SelectionSet,
        value: &Value,
        path: &mut Vec<Value>,
        found: &mut Vec<Vec<Value>>,
    ) {
        if value.is_null() {
            return;
        }
        if !ty.is_non_null() && !found.contains(path) {
            found.push(path.clone());
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(index.into());
                    self.value(ty.item_type(), set, item, path, found);
                    path.pop();
                }
            }
            object => self.selection(set, object, path, found),
        }
    }
}

/// The parts of a response.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default)]
    errors: Vec<Value>,
}

/// `data` as text and `errors` of a response body.
pub fn parts(body: &str) -> (String, Vec<Value>) {
    match serde_json::from_str::<Body<'_>>(body) {
        Ok(body) => (body.data.get().to_owned(), body.errors),
        Err(_) => {
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            let errors = body["errors"].as_array().cloned().unwrap_or_default();
            ("null".to_owned(), errors)
        }
    }
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Disturbance {
    /// Nothing.
    None,
    /// The subgraph can't be reached, or is too slow.
    Fail,
    /// This body comes instead.
    Answer(String),
}

struct Port<'w, D> {
    world: &'w World,
    disturb: D,
    calls: Mutex<Vec<Call>>,
}

impl<D: Fn(&Call) -> Disturbance + Send + Sync> Subgraphs for Port<'_, D> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        debug_assert!(
            call.kind != OperationKind::Subscription,
            "nothing subscribes here"
        );
        let request: Value = serde_json::from_slice(&call.body).expect("the executor writes JSON");
        let subgraph = &self.world.subgraphs[call.subgraph];
        let mut made = Call {
            fetch: call.fetch,
            subgraph: call.subgraph.to_owned(),
            response: Some(subgraph.answer(&request)),
            request,
        };
        match (self.disturb)(&made) {
            Disturbance::None => {}
            Disturbance::Fail => made.response = None,
            Disturbance::Answer(body) => made.response = Some(body),
        }
        let result = made.response.clone().map(Bytes::from);
        self.calls.lock().expect("a call does not panic").push(made);
        result.ok_or_else(|| CallError::new("SUBREQUEST_HTTP_ERROR", "The subgraph can't be reached."))
    }
}

/// A port that takes its time.
struct Slow<P, T> {
    port: P,
    turns: T,
}

impl<P: Subgraphs, T: Fn(usize, &Bytes) -> usize + Send + Sync> Subgraphs for Slow<P, T> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        for _ in 0..(self.turns)(call.fetch, &call.body) {
            tokio::task::yield_now().await;
        }
        self.port.call(call).await
    }
}

/// Nothing here waits for anything outside of this process.
fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime
        .expect("a runtime without drivers needs nothing")
        .block_on(future)
}

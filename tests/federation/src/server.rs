//! The mock subgraph: validates each query against its own SDL, resolves entities by the declared keys,
//! counts its calls, and is strict about representations.
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Result, anyhow};
use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::entities::Root;
use crate::fault::Fault;
use crate::object::Object;
use crate::schema::{SubgraphSchema, read};

/// Numbers that all subgraphs of a case share, by name.
pub type Counters = Arc<Mutex<BTreeMap<String, i64>>>;

/// One subgraph of a case.
pub struct Subgraph {
    pub name: String,
    sdl: String,
    pub schema: SubgraphSchema,
    pub data: Value,
    calls: AtomicUsize,
    counters: Counters,
    fault: Mutex<Option<Fault>>,
}

/// A running mock subgraph; it stops when dropped.
pub struct Mock {
    /// Where it listens.
    pub address: SocketAddr,
    subgraph: Arc<Subgraph>,
    task: JoinHandle<()>,
}

impl Mock {
    /// Serves `data` as the subgraph `name` with this SDL.
    ///
    /// # Errors
    /// SDL that is no schema, no free port.
    pub async fn start(name: &str, sdl: &str, data: Value, counters: Counters) -> Result<Mock> {
        let subgraph = Arc::new(Subgraph::new(name, sdl, data, counters)?);
        let router = Router::new()
            .route("/graphql", post(answer))
            .with_state(subgraph.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap_or_default() });
        Ok(Mock {
            address,
            subgraph,
            task,
        })
    }

    /// Its GraphQL endpoint.
    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// Starts counting anew, and misbehaves in this way from now on.
    pub fn prepare(&self, fault: Option<Fault>) {
        self.subgraph.calls.store(0, Ordering::SeqCst);
        *self.subgraph.fault.lock().expect("a fault is a plain assignment") = fault;
    }

    /// Calls since the last time this was asked, other than for its SDL.
    pub fn take_calls(&self) -> usize {
        self.subgraph.calls.swap(0, Ordering::SeqCst)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(subgraph): State<Arc<Subgraph>>, Json(request): Json<Value>) -> Response {
    let answer = subgraph.execute(&request);
    let fault = subgraph
        .fault
        .lock()
        .expect("a fault is a plain assignment")
        .clone();
    match fault {
        Some(fault) => fault.spoil(answer).await,
        None => Json(answer).into_response(),
    }
}

impl Subgraph {
    /// A subgraph with this SDL and data.
    ///
    /// # Errors
    /// SDL that is no schema.
    pub fn new(name: &str, sdl: &str, data: Value, counters: Counters) -> Result<Subgraph> {
        Ok(Subgraph::with(name, sdl, read(sdl)?, data, counters))
    }

    /// A server of a schema that is nobody's subgraph.
    ///
    /// # Errors
    /// SDL that is no schema.
    pub fn whole(name: &str, sdl: &str, data: Value, counters: Counters) -> Result<Subgraph> {
        let schema = Schema::parse_and_validate(sdl, "schema.graphql");
        let schema = schema.map_err(|error| anyhow!("{}", error.errors))?;
        Ok(Subgraph::with(
            name,
            sdl,
            SubgraphSchema::whole(schema),
            data,
            counters,
        ))
    }

    fn with(name: &str, sdl: &str, schema: SubgraphSchema, data: Value, counters: Counters) -> Subgraph {
        Subgraph {
            name: name.to_owned(),
            sdl: sdl.to_owned(),
            schema,
            data,
            calls: AtomicUsize::new(0),
            counters,
            fault: Mutex::default(),
        }
    }

    /// Its schema, with what the subgraph specification adds.
    pub fn schema(&self) -> &Valid<Schema> {
        &self.schema.schema
    }

    /// Whether an operation is valid for its schema.
    pub fn accepts(&self, query: &str) -> bool {
        ExecutableDocument::parse_and_validate(self.schema(), query, "query.graphql").is_ok()
    }

    fn execute(&self, request: &Value) -> Value {
        serde_json::from_str(&self.answer(request)).expect("an answer is JSON")
    }

    /// Answers a request body with the JSON text of a response, its keys in the order of the query.
    pub fn answer(&self, request: &Value) -> String {
        let query = request["query"].as_str().unwrap_or_default();
        if query.contains("_service{") || query.contains("_service {") {
            return json!({ "data": { "_service": { "sdl": self.sdl } } }).to_string();
        }
        self.calls.fetch_add(1, Ordering::SeqCst);
        let document =
            match ExecutableDocument::parse_and_validate(&self.schema.schema, query, "query.graphql") {
                Ok(document) => document,
                Err(invalid) => {
                    return failed(&format!(
                        "{} got an invalid query: {query}\n{}",
                        self.name, invalid.errors
                    ));
                }
            };
        if let Some(name) = undeclared(&document, request) {
            return failed(&format!("{} got ${name}, which {query} does not use", self.name));
        }
        let variables: JsonMap = serde_json::from_value(request["variables"].clone()).unwrap_or_default();
        let operation = match document.operations.get(request["operationName"].as_str()) {
            Ok(operation) => operation,
            Err(error) => return failed(&format!("{error:?}")),
        };
        let type_name = operation.object_type().to_string();
        let root = Root {
            object: Object {
                subgraph: self,
                fields: &self.data[&type_name],
                type_name,
                with: None,
                representation: None,
                above: None,
            },
            variables: &request["variables"],
        };
        let execution = Execution::new(&self.schema.schema, &document)
            .operation(operation)
            .raw_variable_values(&variables);
        match execution.execute_sync(&root) {
            Ok(response) => serde_json::to_string(&response).expect("an answer is JSON"),
            Err(error) => failed(&format!("{error:?}")),
        }
    }

    /// The entity of the data with the same key values.
    pub fn entity(&self, type_name: &str, key: &Value) -> Option<&Value> {
        let entities = self.data["entities"][type_name].as_array()?;
        let fields = key
            .as_object()?
            .iter()
            .filter(|(name, _)| !name.starts_with('$') && *name != "__typename");
        let fields: Vec<_> = fields.collect();
        entities.iter().find(|entity| {
            fields
                .iter()
                .all(|(name, value)| entity.get(name.as_str()) == Some(*value))
        })
    }

    /// Changes a number of the case and says what it is then.
    pub fn change(&self, counter: &str, change: impl FnOnce(i64) -> i64) -> i64 {
        let mut counters = self.counters.lock().expect("a counter is a plain assignment");
        let value = counters.entry(counter.to_owned()).or_default();
        *value = change(*value);
        *value
    }

    /// Whether this is done for the first time, in whichever subgraph.
    pub fn first(&self, what: &str) -> bool {
        self.change(&format!("once {what}"), |times| times + 1) == 1
    }
}

/// A variable that was sent though the operation has none of that name.
fn undeclared(document: &ExecutableDocument, request: &Value) -> Option<String> {
    let declared = |name: &str| {
        let mut operations = document.operations.iter();
        operations.any(|operation| operation.variables.iter().any(|variable| variable.name == name))
    };
    let mut sent = request["variables"].as_object()?.keys();
    sent.find(|name| !declared(name)).cloned()
}

fn failed(message: &str) -> String {
    json!({ "errors": [{ "message": message }] }).to_string()
}

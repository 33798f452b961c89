//! The mock subgraph: validates each query against its own SDL, resolves entities by the declared keys,
//! counts its calls, and is strict about representations.
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use apollo_compiler::ExecutableDocument;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonMap;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::object::{Object, error};
use crate::schema::{SubgraphSchema, read};

/// Counters that all subgraphs of a case share.
pub type Counters = Arc<Mutex<BTreeMap<String, u64>>>;

/// One subgraph of a case.
pub struct Subgraph {
    pub name: String,
    sdl: String,
    schema: SubgraphSchema,
    data: Value,
    calls: AtomicUsize,
    counters: Counters,
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
        let schema = read(sdl)?;
        let subgraph = Arc::new(Subgraph {
            name: name.to_owned(),
            sdl: sdl.to_owned(),
            schema,
            data,
            calls: AtomicUsize::new(0),
            counters,
        });
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

    /// Starts counting anew.
    pub fn forget_calls(&self) {
        self.subgraph.calls.store(0, Ordering::SeqCst);
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

async fn answer(State(subgraph): State<Arc<Subgraph>>, Json(request): Json<Value>) -> Json<Value> {
    Json(subgraph.execute(&request))
}

impl Subgraph {
    fn execute(&self, request: &Value) -> Value {
        let query = request["query"].as_str().unwrap_or_default();
        if query.contains("_service") {
            return json!({ "data": { "_service": { "sdl": self.sdl } } });
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
                representation: None,
            },
            variables: &request["variables"],
        };
        let execution = Execution::new(&self.schema.schema, &document)
            .operation(operation)
            .raw_variable_values(&variables);
        match execution.execute_sync(&root) {
            Ok(response) => serde_json::to_value(response).expect("an answer is JSON"),
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

    /// The next value of a counter.
    pub fn count_up(&self, counter: &str) -> u64 {
        let mut counters = self.counters.lock().expect("a counter is a plain assignment");
        let value = counters.entry(counter.to_owned()).or_default();
        *value += 1;
        *value
    }

    /// The entity a representation stands for: it must hold a resolvable key, whole and without nulls.
    fn entered<'a>(&'a self, representation: &'a Value) -> Result<Option<Object<'a>>, FieldError> {
        let type_name = representation["__typename"].as_str().unwrap_or_default();
        let keys = self
            .schema
            .keys
            .get(type_name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let Some(key) = keys
            .iter()
            .find(|key| key.iter().all(|path| holds(representation, path)))
        else {
            return Err(error(format!(
                "{}: no resolvable key of {type_name} in {representation}",
                self.name
            )));
        };
        let entities = self.data["entities"][type_name]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let found = entities.iter().find(|entity| {
            key.iter()
                .all(|path| at(entity, path) == at(representation, path))
        });
        Ok(found.map(|fields| {
            let type_name = fields["__typename"].as_str().unwrap_or(type_name).to_owned();
            Object {
                subgraph: self,
                type_name,
                fields,
                representation: Some(representation),
            }
        }))
    }
}

/// Values at a path, through lists.
fn at<'a>(value: &'a Value, path: &[String]) -> Vec<&'a Value> {
    match (value, path) {
        (Value::Array(items), _) => items.iter().flat_map(|item| at(item, path)).collect(),
        (value, []) => vec![value],
        (value, [name, rest @ ..]) => at(&value[name.as_str()], rest),
    }
}

fn holds(representation: &Value, path: &[String]) -> bool {
    at(representation, path).iter().all(|value| !value.is_null())
}

fn failed(message: &str) -> Value {
    json!({ "errors": [{ "message": message }] })
}

/// The root object, which also enters entities.
struct Root<'a> {
    object: Object<'a>,
    variables: &'a Value,
}

impl ObjectValue for Root<'_> {
    fn type_name(&self) -> &str {
        &self.object.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        if info.field_name() != "_entities" {
            return self.object.resolve_field(info);
        }
        let argument = info
            .field_selections()
            .first()
            .and_then(|field| field.specified_argument_by_name("representations"));
        let variable = argument
            .and_then(|value| value.as_variable())
            .ok_or_else(|| error("no representations".to_owned()))?;
        let representations = self.variables[variable.as_str()]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let entities = representations.iter().map(|representation| {
            Ok(match self.object.subgraph.entered(representation)? {
                Some(entity) => ResolvedValue::Object(Box::new(entity)),
                None => ResolvedValue::Leaf(apollo_compiler::response::JsonValue::Null),
            })
        });
        Ok(ResolvedValue::List(Box::new(entities)))
    }
}

//! Introspection is answered from the public schema; no subgraph is asked.
use apollo_compiler::introspection::partial_execute;
use apollo_compiler::response::serde_json_bytes;
use apollo_compiler::validation::Valid;
use serde_json::{Map, Value};

use super::Operation;
use crate::supergraph::Supergraph;

impl Operation {
    /// The values of the root fields `__schema` and `__type` as JSON text, by response key.
    pub fn introspect(&self, sg: &Supergraph, coerced: &Map<String, Value>) -> Vec<(String, String)> {
        if !self.introspects() {
            return Vec::new();
        }
        let variables: serde_json_bytes::Map<_, _> = coerced
            .iter()
            .map(|(k, v)| (k.as_str().into(), v.clone().into()))
            .collect();
        let variables = Valid::assume_valid(variables);
        let schema = sg.api_schema();
        let answer = partial_execute(
            schema,
            &sg.implementers,
            &self.document,
            &self.operation,
            &variables,
        );
        let Some(data) = answer.ok().and_then(|answer| answer.data) else {
            return Vec::new();
        };
        let mut keys: Vec<_> = self
            .operation
            .root_fields(&self.document)
            .filter(|f| f.name == "__schema" || f.name == "__type")
            .map(|f| f.response_key().as_str())
            .collect();
        keys.dedup();
        keys.into_iter()
            .filter_map(|key| data.get(key).map(|value| (key.to_owned(), value.to_string())))
            .collect()
    }
}

//! What the executor is given besides the program: variables, limits, and what introspection says.

use std::sync::Arc;

use baedal_executor::{ErrorPolicy, Inputs};
use serde_json::{Map, Value};

use crate::engine::{Document, Engine};
use crate::gateway::Gateway;

/// The inputs of one execution.
pub fn inputs(
    gateway: &Gateway,
    engine: &Engine,
    document: &Document,
    coerced: &Map<String, Value>,
) -> Inputs {
    let errors = &gateway.config.errors;
    let error_policy = match &errors.extensions {
        _ if errors.mask_subgraphs => ErrorPolicy::Mask,
        Some(names) => ErrorPolicy::PassOnly(Arc::clone(names)),
        None => ErrorPolicy::Pass,
    };
    let max_body = gateway.client.response_bytes();
    let mut inputs = Inputs {
        max_body,
        error_policy,
        name_subgraphs: errors.name_subgraphs,
        max_answer: gateway.config.limits.answer_bytes,
        max_errors: gateway.config.limits.errors,
        ..Inputs::with_variables(coerced)
    };
    for (key, value) in document.operation.introspect(engine.supergraph(), coerced) {
        inputs.give(&key, value);
    }
    inputs
}

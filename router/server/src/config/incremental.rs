//! Answers in parts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `@defer`, for clients that take an answer in parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IncrementalConfig {
    /// Whether `@defer` and `@stream` are in the schema. Clients that take one answer only get all of it at once.
    pub enabled: bool,
}

impl Default for IncrementalConfig {
    fn default() -> Self {
        IncrementalConfig { enabled: true }
    }
}

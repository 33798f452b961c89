//! Section `cache`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use super::{BrokerConfig, ConfigError, ResponsesConfig};

/// Operations and plans that are kept: those asked for most often and last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// Bytes that they may take, estimated.
    pub bytes: u64,
    /// How many operations there may be, and how many plans.
    pub operations: u64,
    /// Answers of subgraphs that are kept.
    pub responses: ResponsesConfig,
}

impl Default for CacheConfig {
    fn default() -> Self {
        CacheConfig {
            bytes: 64 * 1024 * 1024,
            operations: 10_000,
            responses: ResponsesConfig::default(),
        }
    }
}

impl CacheConfig {
    pub(super) fn check(
        &self,
        has_auth: bool,
        brokers: &BTreeMap<String, BrokerConfig>,
    ) -> Result<(), ConfigError> {
        if self.operations == 0 {
            return Err(ConfigError::value("cache.operations", "must be at least 1"));
        }
        self.responses.check(has_auth, brokers)
    }
}

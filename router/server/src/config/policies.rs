//! `auth.policies`: to whom the policies of `@policy` are granted.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// A policy is granted to callers of whom all of this holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyRule {
    /// Scopes that the token must carry, all of them.
    pub scopes: Vec<String>,
    /// Claims of the token, each of which must have one of these values.
    pub claims: BTreeMap<String, Vec<String>>,
}

impl PolicyRule {
    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        if self.scopes.is_empty() && self.claims.is_empty() {
            let key = format!("auth.policies.{name}");
            let why = "must name scopes or claims; what is for every known caller is `@authenticated`";
            return Err(ConfigError::value(&key, why));
        }
        Ok(())
    }
}

//! `contract`: the variant of the graph that this gateway serves.

use std::collections::BTreeSet;

use baedal_composition::contract::Contract;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// A variant of the public schema by `@tag`. What it leaves out cannot be asked for, and still serves to answer the
/// rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContractConfig {
    /// Only fields of objects and interfaces that bear one of these tags, themselves or by their type. None: all.
    pub include: BTreeSet<String>,
    /// Nothing that bears one of these tags.
    pub exclude: BTreeSet<String>,
}

impl ContractConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.include.is_empty() && self.exclude.is_empty() {
            return Err(ConfigError::value(
                "contract",
                "names no tag: give `include`, `exclude` or both, e.g. contract: { exclude: [internal] }",
            ));
        }
        match self.include.intersection(&self.exclude).next() {
            Some(tag) => {
                let why = format!("includes and excludes the tag `{tag}`: keep it in one of the two");
                Err(ConfigError::value("contract", &why))
            }
            None => Ok(()),
        }
    }

    /// As composition takes it.
    pub fn contract(&self) -> Contract {
        Contract {
            include: self.include.clone(),
            exclude: self.exclude.clone(),
        }
    }
}

//! `contract` and `contracts`: the variants of the graph that this gateway serves.

use std::collections::BTreeSet;

use baedal_composition::contract::Contract;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigError, check_path};

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

/// A variant of the graph at a path of its own, beside what is served at `path`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedContractConfig {
    /// Its name, in the log and in messages.
    pub name: String,
    /// The path of its endpoint: another than `path` and than those of other contracts.
    pub path: String,
    /// Only fields of objects and interfaces that bear one of these tags, themselves or by their type. None: all.
    #[serde(default)]
    pub include: BTreeSet<String>,
    /// Nothing that bears one of these tags.
    #[serde(default)]
    pub exclude: BTreeSet<String>,
}

impl NamedContractConfig {
    fn tags(&self) -> ContractConfig {
        ContractConfig {
            include: self.include.clone(),
            exclude: self.exclude.clone(),
        }
    }
}

impl Config {
    pub(super) fn check_contracts(&self) -> Result<(), ConfigError> {
        let mut paths = vec![&self.path];
        for (number, contract) in self.contracts.iter().enumerate() {
            let refuse =
                |key: &str, why: &str| Err(ConfigError::value(&format!("contracts[{number}].{key}"), why));
            check_path(&format!("contracts[{number}].path"), &contract.path)?;
            if paths.contains(&&contract.path) {
                return refuse(
                    "path",
                    "is taken: each contract needs a path of its own, other than `path`",
                );
            }
            paths.push(&contract.path);
            if self.contracts[..number]
                .iter()
                .any(|before| before.name == contract.name)
            {
                return refuse("name", "is given twice");
            }
            contract.tags().check(&format!("contracts[{number}]"))?;
        }
        Ok(())
    }

    /// What each of the `contracts` is served with.
    pub fn of_contracts(&self) -> Vec<Config> {
        let config = |contract: &NamedContractConfig| Config {
            path: contract.path.clone(),
            contract: Some(contract.tags()),
            contracts: Vec::new(),
            serving: Some(contract.name.clone()),
            ..self.clone()
        };
        self.contracts.iter().map(config).collect()
    }

    /// Whether both are of the same contract.
    pub fn serves_as(&self, other: &Config) -> bool {
        self.serving == other.serving
    }
}

impl ContractConfig {
    /// `key`: where it stands.
    pub(super) fn check(&self, key: &str) -> Result<(), ConfigError> {
        if self.include.is_empty() && self.exclude.is_empty() {
            return Err(ConfigError::value(
                key,
                "names no tag: give `include`, `exclude` or both, e.g. contract: { exclude: [internal] }",
            ));
        }
        match self.include.intersection(&self.exclude).next() {
            Some(tag) => {
                let why = format!("includes and excludes the tag `{tag}`: keep it in one of the two");
                Err(ConfigError::value(key, &why))
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

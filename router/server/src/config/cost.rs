//! Section `limits.cost`.

use baedal_planner::CostSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// What an operation may cost, as it is estimated before planning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CostConfig {
    /// Whether operations that cost too much are refused.
    pub mode: CostMode,
    /// What one operation may cost: roughly, how many objects its answer may hold.
    pub budget: u64,
    /// Items of a list of which neither `@listSize` nor an argument says how long it is.
    pub list_size: u32,
    /// Integer arguments with these names say how long a list (or the lists of a page) is, where `@listSize` does not.
    pub slicing_arguments: Vec<String>,
}

/// What is done about costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CostMode {
    /// Estimated, told as a metric, and refused above the budget.
    Enforce,
    /// Estimated and told as a metric.
    Measure,
    /// Not estimated.
    Off,
}

impl Default for CostConfig {
    fn default() -> Self {
        CostConfig {
            mode: CostMode::Enforce,
            budget: 1_000_000,
            list_size: 10,
            slicing_arguments: ["first", "last", "limit"].map(str::to_owned).to_vec(),
        }
    }
}

impl CostConfig {
    /// What the planner is told; `None` if nothing is to be estimated.
    pub fn settings(&self) -> Option<CostSettings> {
        (self.mode != CostMode::Off).then(|| CostSettings {
            list_size: self.list_size,
            slicing_arguments: self.slicing_arguments.clone(),
        })
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.budget == 0 {
            let why = "must be at least 1; `mode: off` switches costs off";
            return Err(ConfigError::value("limits.cost.budget", why));
        }
        Ok(())
    }
}

//! What an operation may cost, estimated before it is planned.

use baedal_planner::{Estimate, Supergraph};
use baedal_telemetry::metrics::Histogram;
use serde_json::{Map, Value};

use crate::config::{CostConfig, CostMode};
use crate::errors::{Code, Refusal};

/// A larger cost is told as this one, so that the sum of all stays a number.
const MOST_TOLD: u64 = 1_000_000_000;

/// Refuses an operation that costs more than the budget with these values of variables, and tells what others cost.
pub fn check_cost(
    estimate: &Estimate,
    supergraph: &Supergraph,
    coerced: &Map<String, Value>,
    config: &CostConfig,
    told: &Histogram,
) -> Result<(), Refusal> {
    let enforced = config.mode == CostMode::Enforce;
    let cost = match estimate.cost(supergraph, coerced) {
        Ok(cost) => cost.ceil() as u64,
        Err(error) if enforced => return Err(Refusal::new(Code::SliceUnsaid, error.to_string())),
        Err(_) => return Ok(()),
    };
    told.observe(cost.min(MOST_TOLD));
    if enforced && cost > config.budget {
        return Err(Refusal::too_dear(cost, config.budget));
    }
    Ok(())
}

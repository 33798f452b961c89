//! How much introspection answers, counted before it is done.

use baedal_planner::{Operation, Supergraph};

use crate::config::LimitsConfig;
use crate::errors::{Code, Refusal};

/// Refuses introspection whose answer would be too large.
pub fn check_introspection(
    operation: &Operation,
    supergraph: &Supergraph,
    limits: &LimitsConfig,
) -> Result<(), Refusal> {
    let most = limits.introspection_values;
    if operation.introspected_values(supergraph, most) > most {
        let message = format!(
            "the answer to this introspection would hold more than {most} values (limits.introspection_values)"
        );
        return Err(Refusal::new(Code::IntrospectionTooLarge, message));
    }
    Ok(())
}

//! Subgraphs that do not tell their SDL.

use std::collections::{BTreeMap, HashSet};

use super::Absent;
use crate::gateway::Gateway;

pub use crate::config::AbsentSubgraphs as Policy;

/// Logs who went and who came back, once, and puts it into the status. `known`: SDLs of before.
pub fn note(gateway: &Gateway, known: &BTreeMap<String, String>, absent: &[Absent]) {
    let status = gateway.status();
    let before: HashSet<&str> = status
        .absent
        .iter()
        .map(|absent| absent.subgraph.as_str())
        .collect();
    for absent in absent
        .iter()
        .filter(|absent| !before.contains(absent.subgraph.as_str()))
    {
        tracing::warn!(
            subgraph = absent.subgraph,
            reason = absent.reason,
            served_with_last_known_schema = known.contains_key(&absent.subgraph),
            "a subgraph does not tell its SDL; will ask again"
        );
    }
    for name in before {
        if !absent.iter().any(|absent| absent.subgraph == name) {
            tracing::info!(subgraph = name, "the subgraph tells its SDL again");
        }
    }
    gateway.update_status(|status| status.absent = absent.to_vec());
}

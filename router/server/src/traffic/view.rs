//! What the layers before a subgraph show: in `/health/ready`, and as metrics.

use baedal_traffic::breaker::State;
use serde::Serialize;

use super::Guard;

/// The layers before one subgraph.
#[derive(Debug, Clone, Serialize)]
pub struct SubgraphView {
    /// Its name.
    pub subgraph: String,
    /// `closed`, `open` or `half_open`.
    pub circuit: &'static str,
    /// The same for each of its addresses, in the order of the configuration, where it has several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<&'static str>,
    /// How often the circuit has opened.
    pub opened: u64,
    /// Calls that it rejected.
    pub rejected: u64,
    /// How many calls there may be at once.
    pub limit: usize,
    /// How many there are.
    pub under_way: usize,
    /// How many wait for their turn.
    pub waiting: usize,
    /// Calls that got no turn.
    pub refused: u64,
    /// Calls that took too long.
    pub timed_out: u64,
    /// Queries that were sent once more.
    pub retried: u64,
}

impl SubgraphView {
    pub(super) fn new(name: &str, guard: &Guard) -> SubgraphView {
        let snapshot = guard.layers.snapshot();
        let replicas = guard.rotation.snapshot();
        SubgraphView {
            subgraph: name.to_owned(),
            circuit: snapshot.breaker.state.name(),
            replicas: replicas.iter().map(|replica| replica.state.name()).collect(),
            opened: snapshot.breaker.opened,
            rejected: snapshot.breaker.rejected,
            limit: snapshot.limit,
            under_way: snapshot.under_way,
            waiting: snapshot.waiting,
            refused: snapshot.refused,
            timed_out: snapshot.timed_out,
            retried: snapshot.retried,
        }
    }

    /// What an operator should look at, as sentences.
    pub(super) fn reasons(&self) -> Vec<String> {
        let closed = State::Closed.name();
        let mut reasons = Vec::new();
        if self.circuit != closed {
            let name = &self.subgraph;
            reasons.push(format!(
                "the subgraph '{name}' is not called (its circuit is {}): too many calls failed or were slow",
                self.circuit
            ));
        }
        let lost = self.replicas.iter().filter(|state| **state != closed).count();
        if lost > 0 {
            reasons.push(format!(
                "{lost} of {} addresses of the subgraph '{}' are left out: too many calls failed there",
                self.replicas.len(),
                self.subgraph
            ));
        }
        reasons
    }
}

//! The circuit to payment, for operators.

use async_graphql::{Enum, SimpleObject};

use baedal_traffic::breaker::{Snapshot, State};

/// How calls to payment fare in this process.
#[derive(SimpleObject)]
pub struct PaymentCircuit {
    /// Whether calls go through.
    state: CircuitState,
    /// How often it has opened.
    opened: u64,
    /// How often it has become half-open.
    half_opened: u64,
    /// How often it has closed again.
    closed: u64,
    /// Calls it has rejected.
    rejected: u64,
}

/// Whether calls go through.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "State")]
pub enum CircuitState {
    /// All.
    Closed,
    /// None.
    Open,
    /// A few, to find out.
    HalfOpen,
}

impl From<Snapshot> for PaymentCircuit {
    fn from(snapshot: Snapshot) -> PaymentCircuit {
        let Snapshot {
            state,
            opened,
            half_opened,
            closed,
            rejected,
        } = snapshot;
        PaymentCircuit {
            state: state.into(),
            opened,
            half_opened,
            closed,
            rejected,
        }
    }
}

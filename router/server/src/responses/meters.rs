//! What the response cache counts.

use baedal_telemetry::Registry;
use baedal_telemetry::metrics::{Counter, Family};

use crate::observe::response_cache as metrics;

/// Subgraphs told apart, and ways of dropping.
const FEW: usize = 200;

/// Its counters. Clones count together.
#[derive(Clone)]
pub struct Meters {
    lookups: Family<Counter>,
    dropped: Family<Counter>,
}

impl Meters {
    /// Registers them.
    pub fn new(registry: &Registry) -> Meters {
        Meters {
            lookups: registry.counters(&metrics::LOOKUPS, FEW),
            dropped: registry.counters(&metrics::DROPPED, FEW),
        }
    }

    /// Parts of a call were looked up.
    pub fn looked(&self, subgraph: &str, hits: u64, misses: u64) {
        for (outcome, count) in [("hit", hits), ("miss", misses)] {
            if count > 0 {
                self.lookups.with(&[subgraph, outcome]).add(count);
            }
        }
    }

    /// Stale parts were used.
    pub fn stale(&self, subgraph: &str, count: usize) {
        self.lookups.with(&[subgraph, "stale"]).add(count as u64);
    }

    /// Answers were dropped.
    pub fn dropped(&self, by: &str, count: usize) {
        self.dropped.with(&[by]).add(count as u64);
    }
}

//! What a plan costs, as far as a plan shows it.
use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// How good a plan is, dearest first: a plan with fewer steps beats one with fewer fetches,
/// and that beats one with less to send. (`Ord` compares in this order.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Figures {
    /// Fetches in the longest chain that wait for one another.
    pub steps: usize,
    /// Fetches.
    pub fetches: usize,
    /// Bytes of all query texts together.
    pub bytes: usize,
}

impl Plan {
    /// The figures of this plan.
    pub fn figures(&self) -> Figures {
        let mut ends: Vec<usize> = Vec::with_capacity(self.fetches.len());
        for fetch in &self.fetches {
            let start = fetch.after.iter().map(|a| ends[*a]).max().unwrap_or(0);
            ends.push(start + 1);
        }
        Figures {
            steps: ends.into_iter().max().unwrap_or(0),
            fetches: self.fetches.len(),
            bytes: self.fetches.iter().map(|f| f.query.len()).sum(),
        }
    }
}

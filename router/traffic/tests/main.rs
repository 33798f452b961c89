//! Each layer by a clock that the test moves, the breaker against a model of it, and all of them together.

#[cfg(not(baedal_loom))]
mod breaker;
#[cfg(not(baedal_loom))]
mod bulkhead;
#[cfg(not(baedal_loom))]
mod layers;
#[cfg(baedal_loom)]
mod loom;
#[cfg(not(baedal_loom))]
mod model;
#[cfg(not(baedal_loom))]
mod parts;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use baedal_traffic::{Breaker, Clock, Outcome};

/// A clock with hands.
#[derive(Default)]
pub struct Hands(Mutex<Duration>);

impl Hands {
    /// At zero.
    pub fn new() -> Arc<Hands> {
        Arc::default()
    }

    /// Time passes.
    pub fn move_on(&self, millis: u64) {
        *self.0.lock().expect("no holder panics") += Duration::from_millis(millis);
    }
}

impl Clock for Hands {
    fn now(&self) -> Duration {
        *self.0.lock().expect("no holder panics")
    }
}

/// Makes a call, if it may be made.
pub fn call(breaker: &Breaker, outcome: Outcome) -> bool {
    breaker.enter().map(|pass| pass.finish(outcome)).is_ok()
}

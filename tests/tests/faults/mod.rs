//! Processes that die, and other faults.
mod experiments;
mod killed;
mod parts;
mod proxy;
mod simulation;

use std::time::{SystemTime, UNIX_EPOCH};

/// The seed of this run: `BAEDAL_SEED` repeats one.
fn seed() -> u64 {
    let given = std::env::var("BAEDAL_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |time| time.as_secs())
    })
}

//! A bulkhead: so many calls at once, a bounded wait for a turn, so that a slow payment cannot take order down with it.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room for a number of calls.
pub struct Bulkhead {
    room: Arc<Semaphore>,
    turn: Duration,
}

/// No turn came in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Bulkhead {
    /// Room for `at_once` calls (at least one), a wait of at most `turn` for it.
    pub fn new(at_once: usize, turn: Duration) -> Bulkhead {
        Bulkhead {
            room: Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS))),
            turn,
        }
    }

    /// A place, kept until it is dropped.
    pub async fn enter(&self) -> Result<OwnedSemaphorePermit, Full> {
        match tokio::time::timeout(self.turn, Arc::clone(&self.room).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Full),
        }
    }
}

//! Time and fresh ids as arguments, so that a test can hold both still.

use crate::failpoint;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_ms(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis())
            .unwrap_or(i64::MAX)
            .saturating_add(failpoint::clock_shift_ms())
    }
}

/// Where ids of new things come from.
pub trait Ids: Send + Sync {
    /// An id never given before.
    fn next(&self) -> Uuid;
}

/// UUIDv7: unique, and growing within a process.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

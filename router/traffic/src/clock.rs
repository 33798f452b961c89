//! Monotonic time: a jump of the system's clock changes nothing here.

use std::time::Duration;

use tokio::time::Instant;

/// Time that never jumps.
pub trait Clock: Send + Sync {
    /// Since some fixed moment.
    fn now(&self) -> Duration;
}

/// Tokio's clock, which a test may pause.
pub struct TokioClock {
    began: Instant,
}

impl TokioClock {
    /// Counts from now on.
    pub fn new() -> TokioClock {
        TokioClock {
            began: Instant::now(),
        }
    }
}

impl Default for TokioClock {
    fn default() -> TokioClock {
        TokioClock::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

//! How a breaker is set.

use std::time::Duration;

/// When to open, for how long, and how to find out whether to close.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How far back calls are counted.
    pub window: Duration,
    /// No judgement below this many calls in the window.
    pub min_calls: u32,
    /// Share of failed calls (0 to 1) from which on it opens.
    pub failure_rate: f64,
    /// A call that takes this long is slow.
    pub slow_call: Duration,
    /// Share of slow calls (0 to 1) from which on it opens.
    pub slow_rate: f64,
    /// How long it stays open.
    pub open_for: Duration,
    /// How many calls a half-open breaker lets through.
    pub probes: u32,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            window: Duration::from_secs(10),
            min_calls: 20,
            failure_rate: 0.5,
            slow_call: Duration::from_millis(600),
            slow_rate: 0.8,
            open_for: Duration::from_secs(2),
            probes: 5,
        }
    }
}

impl Settings {
    /// With impossible values moved to the nearest possible ones.
    pub(super) fn sane(self) -> Settings {
        Settings {
            window: self.window.max(Duration::from_millis(100)),
            min_calls: self.min_calls.max(1),
            failure_rate: self.failure_rate.clamp(f64::EPSILON, 1.0),
            slow_rate: self.slow_rate.clamp(f64::EPSILON, 1.0),
            probes: self.probes.max(1),
            ..self
        }
    }
}

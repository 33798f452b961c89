//! How a breaker is set.

use std::time::Duration;

use crate::window::Counts;

/// When to open, for how long, and how to find out whether to close.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Off, it counts and never opens.
    pub enabled: bool,
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
            enabled: true,
            window: Duration::from_secs(10),
            min_calls: 20,
            failure_rate: 0.5,
            slow_call: Duration::from_secs(5),
            slow_rate: 0.8,
            open_for: Duration::from_secs(5),
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

    /// Enough calls, and too many of them failed or slow.
    pub(super) fn trip(&self, counts: Counts) -> bool {
        let share = |count: u32| f64::from(count) / f64::from(counts.calls);
        self.enabled
            && counts.calls >= self.min_calls
            && (share(counts.failed) >= self.failure_rate || share(counts.slow) >= self.slow_rate)
    }
}

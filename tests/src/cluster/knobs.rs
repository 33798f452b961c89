//! What can be turned.
use std::path::PathBuf;
use std::time::Duration;

/// How replicas run.
#[derive(Debug, Clone)]
pub enum Start {
    /// In this process.
    Inside,
    /// As the programs `baedal-order`, `baedal-router` and so on of a folder.
    Programs(PathBuf),
}

/// Settings of the services that scenarios are about.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// How long payment's provider takes, at least.
    pub delay: Duration,
    /// Up to this much longer.
    pub jitter: Duration,
    /// When payment answers: its own work and the provider's count in; and up to how much later.
    pub answer: (Duration, Duration),
    /// Payments it works on at once.
    pub capacity: u32,
    /// How long order waits for a payment.
    pub deadline: Duration,
    /// Calls of order to payment at once; 0 turns the bulkhead off.
    pub at_once: u32,
    /// How long a store takes for each step.
    pub step: Duration,
    /// Requests the gateway works on at once; others are refused at its door. `None`: its own default.
    pub door: Option<u32>,
    /// How long a part that is asked to end goes on serving while it says that it is not ready.
    pub drain: Duration,
}

/// 400 ms, and up to 220 ms more.
const SLOW: (Duration, Duration) = (Duration::from_millis(400), Duration::from_millis(220));

impl Default for Knobs {
    fn default() -> Knobs {
        Knobs {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(20),
            answer: (Duration::ZERO, Duration::ZERO),
            capacity: 10_000,
            deadline: Duration::from_millis(610),
            at_once: 256,
            step: Duration::ZERO,
            door: None,
            drain: Duration::ZERO,
        }
    }
}

impl Knobs {
    /// With a payment that nobody loses patience with: for what is about something else, on a machine that may be slow.
    pub fn patient(self, short: bool) -> Knobs {
        match short {
            true => Knobs {
                deadline: Duration::from_secs(8),
                ..self
            },
            false => self,
        }
    }

    /// Payment answers as slowly as in the source's experiment: after 400 ms, and up to 220 ms more.
    pub fn slow() -> Knobs {
        Knobs {
            answer: SLOW,
            ..Knobs::default()
        }
    }

    /// Payment's provider is as slow as that, and serves `capacity` at once; more wait in payment.
    pub fn slow_and_small(capacity: u32) -> Knobs {
        Knobs {
            delay: SLOW.0,
            jitter: SLOW.1,
            capacity,
            ..Knobs::default()
        }
    }
}

//! When to try again: exponential pauses with full jitter, no sooner than the other side asks for.

use std::time::Duration;

use crate::budget;

/// How a failed read is repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Repeats of one call; 0: none.
    pub attempts: u32,
    /// The longest first pause; the next may be twice as long, and so on.
    pub pause: Duration,
    /// The longest pause there is, also where the other side asks for a longer one (then it is not tried again).
    pub longest: Duration,
    /// How many repeats of all calls.
    pub budget: budget::Settings,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            attempts: 1,
            pause: Duration::from_millis(25),
            longest: Duration::from_secs(1),
            budget: budget::Settings::default(),
        }
    }
}

impl Settings {
    /// The pause before repeat number `attempt` (from 0); `draw` is by chance, from 0 to 1. `asked`: what the other side
    /// said (Retry-After). `None`: it is not worth waiting for.
    pub fn pause(&self, attempt: u32, draw: f64, asked: Option<Duration>) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = self.pause.saturating_mul(1_u32 << attempt.min(16));
        let jittered = doubled.min(self.longest).mul_f64(draw.clamp(0.0, 1.0));
        let pause = jittered.max(asked.unwrap_or_default());
        (pause <= self.longest).then_some(pause)
    }
}

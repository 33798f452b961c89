//! When to try again, and after how long.

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use std::{cell::RefCell, time::Duration};

/// An error that knows whether the same work may succeed when it is tried again.
pub trait Transient {
    /// A lost connection, a conflict with another transaction, a busy file: true. A wrong statement: false.
    fn is_transient(&self) -> bool;
}

/// Growing pauses with full jitter
/// ([Exponential Backoff And Jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)).
#[derive(Debug, Clone)]
pub struct Backoff {
    least: Duration,
    most: Duration,
    attempt: u32,
}

impl Backoff {
    /// Pauses from `least`, doubling, never above `most`.
    pub fn new(least: Duration, most: Duration) -> Backoff {
        Backoff {
            least,
            most,
            attempt: 0,
        }
    }

    /// The next pause: between half and all of the current step.
    pub fn pause(&mut self) -> Duration {
        let step = self
            .least
            .saturating_mul(1 << self.attempt.min(20))
            .min(self.most);
        self.attempt = self.attempt.saturating_add(1);
        step.mul_f64(jitter())
    }

    /// Begins again with the least pause.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    /// How often it paused since it began.
    pub fn attempts(&self) -> u32 {
        self.attempt
    }
}

thread_local! {
    /// Where the jitter of a simulation comes from.
    static SEEDED: RefCell<Option<SmallRng>> = const { RefCell::new(None) };
}

/// From now on the pauses of this thread come from a seed: for simulations, which live in one thread.
pub fn seed_jitter(seed: u64) {
    SEEDED.set(Some(SmallRng::seed_from_u64(seed)));
}

fn jitter() -> f64 {
    SEEDED.with_borrow_mut(|seeded| match seeded {
        Some(random) => random.random_range(0.5..=1.0),
        None => rand::rng().random_range(0.5..=1.0),
    })
}

/// Proof that a transaction was committed, with what it came to. Only a transaction's `commit_with` makes one, so that a
/// closure given to `transaction` cannot forget to commit.
#[derive(Debug)]
#[must_use]
pub struct Committed<T>(pub(crate) T);

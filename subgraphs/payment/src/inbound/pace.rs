//! How slow payment is as a whole, for demonstrations and experiments: an answer is held until it is due.
//!
//! Unlike the delay of the simulated provider this holds the service's own work, too: what a caller sees is the delay.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// When an approve is answered, from when it was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    /// No sooner than this.
    pub delay: Duration,
    /// Up to this much later, depending on the order.
    pub jitter: Duration,
}

impl Pace {
    /// The time for one order: always the same, spread evenly over orders.
    pub fn of(&self, order: &str) -> Duration {
        let mut hasher = DefaultHasher::new();
        order.hash(&mut hasher);
        let share = hasher.finish() as f64 / u64::MAX as f64;
        self.delay + self.jitter.mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_spread_over_the_jitter() {
        let pace = Pace {
            delay: Duration::from_millis(400),
            jitter: Duration::from_millis(220),
        };
        let times: Vec<Duration> = (0..1_000)
            .map(|number| pace.of(&format!("order-{number}")))
            .collect();
        let (least, most) = (
            times.iter().min().expect("some"),
            times.iter().max().expect("some"),
        );
        assert!(*least >= pace.delay && *most <= pace.delay + pace.jitter);
        let late = times
            .iter()
            .filter(|time| **time > Duration::from_millis(610))
            .count();
        assert!(
            (20..=80).contains(&late),
            "{late} of 1000 above 610 ms, about 45 are due"
        );
        assert_eq!(pace.of("order-1"), pace.of("order-1"));
    }
}

//! How late events come: counts in tenths of milliseconds.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Width of a bucket.
const WIDTH_US: u64 = 100;
/// Two seconds of buckets; what is later counts as two seconds.
const BUCKETS: usize = 20_000;

/// Latencies of one stretch of time.
pub struct Histogram(Vec<AtomicU32>);

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram((0..BUCKETS).map(|_| AtomicU32::new(0)).collect())
    }
}

impl Histogram {
    fn note(&self, late: Duration) {
        let bucket = (late.as_micros() as u64 / WIDTH_US) as usize;
        self.0[bucket.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0
            .iter()
            .map(|bucket| u64::from(bucket.load(Ordering::Relaxed)))
            .sum()
    }

    /// The latency that this share of them (0 to 1) does not exceed, in milliseconds.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (number, bucket) in self.0.iter().enumerate() {
            seen += u64::from(bucket.load(Ordering::Relaxed));
            if seen >= wanted.max(1) {
                return (number + 1) as f64 * WIDTH_US as f64 / 1000.0;
            }
        }
        0.0
    }
}

/// Where clients note what they see. A clone shares it.
#[derive(Clone, Default)]
pub struct Latencies(Arc<Mutex<Arc<Histogram>>>);

impl Latencies {
    /// An event was so late.
    pub fn note(&self, late: Duration) {
        self.lock().note(late);
    }

    /// Ends a stretch and begins another.
    pub fn cut(&self) -> Arc<Histogram> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<Histogram>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_what_was_noted() {
        let latencies = Latencies::default();
        for milliseconds in 1..=100 {
            latencies.note(Duration::from_millis(milliseconds));
        }
        let seen = latencies.cut();
        assert_eq!(seen.count(), 100);
        assert_eq!(seen.quantile(0.5).round(), 50.0);
        assert_eq!(seen.quantile(0.99).round(), 99.0);
        assert_eq!(latencies.cut().count(), 0);
    }
}

//! What came back, per outcome.
use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::OK;

/// Latencies are kept in microseconds with three digits.
const DIGITS: u8 = 3;

/// Counts and latencies of everything that was sent.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// By outcome.
    pub outcomes: BTreeMap<String, Count>,
    /// From the first request to the last answer.
    pub took: Duration,
}

/// The answers with one outcome.
#[derive(Debug, Clone)]
pub struct Count {
    latencies: Histogram<u64>,
}

impl Default for Count {
    fn default() -> Count {
        Count {
            latencies: Histogram::new(DIGITS).expect("three digits are allowed"),
        }
    }
}

impl Count {
    /// How many.
    pub fn len(&self) -> u64 {
        self.latencies.len()
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.latencies.is_empty()
    }

    /// The latency that this share (0 to 1) of them did not exceed.
    pub fn quantile(&self, share: f64) -> Duration {
        Duration::from_micros(self.latencies.value_at_quantile(share))
    }

    /// The mean.
    pub fn mean(&self) -> Duration {
        Duration::from_secs_f64(self.latencies.mean() / 1e6)
    }

    /// The longest.
    pub fn longest(&self) -> Duration {
        match self.is_empty() {
            true => Duration::ZERO,
            false => Duration::from_micros(self.latencies.max()),
        }
    }

    fn add(&mut self, other: &Count) {
        self.latencies
            .add(&other.latencies)
            .expect("a histogram that grows takes all of another");
    }
}

impl Report {
    /// Counts an answer.
    pub fn count(&mut self, code: &str, took: Duration) {
        if !self.outcomes.contains_key(code) {
            self.outcomes.insert(code.to_owned(), Count::default());
        }
        let count = self.outcomes.get_mut(code).expect("it was put there");
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        count
            .latencies
            .record(micros)
            .expect("a histogram that grows takes any value");
    }

    /// Takes the answers of another report in.
    pub fn add(&mut self, other: &Report) {
        for (code, count) in &other.outcomes {
            self.outcomes.entry(code.clone()).or_default().add(count);
        }
        self.took = self.took.max(other.took);
    }

    /// The answers with this code.
    pub fn of(&self, code: &str) -> Count {
        self.outcomes.get(code).cloned().unwrap_or_default()
    }

    /// All answers together.
    pub fn all(&self) -> Count {
        let mut all = Count::default();
        self.outcomes.values().for_each(|count| all.add(count));
        all
    }

    /// All that went wrong together.
    pub fn failed(&self) -> Count {
        let mut failed = Count::default();
        let wrong = self.outcomes.iter().filter(|(code, _)| *code != OK);
        wrong.for_each(|(_, count)| failed.add(count));
        failed
    }

    /// How many went well.
    pub fn ok(&self) -> u64 {
        self.of(OK).len()
    }

    /// The share (0 to 1) that went well.
    pub fn share_ok(&self) -> f64 {
        match self.all().len() {
            0 => 0.0,
            all => self.ok() as f64 / all as f64,
        }
    }

    /// How many went well per second.
    pub fn ok_per_second(&self) -> f64 {
        self.ok() as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_counted_apart_and_together() {
        let mut report = Report::default();
        for millis in 1..=100 {
            report.count(OK, Duration::from_millis(millis));
        }
        report.count("BUSY", Duration::from_secs(9));
        report.took = Duration::from_secs(10);
        assert_eq!(
            (report.ok(), report.failed().len(), report.all().len()),
            (100, 1, 101)
        );
        assert_eq!(report.failed().longest().as_secs(), 9);
        assert!((report.ok_per_second() - 10.0).abs() < 1e-9);
        let p99 = report.of(OK).quantile(0.99).as_secs_f64();
        assert!((p99 - 0.099).abs() < 0.001, "{p99}");
        assert!(report.of("never").is_empty() && report.of("never").longest().is_zero());
    }
}

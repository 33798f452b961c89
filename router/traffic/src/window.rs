//! Counts of the last while: ten buckets, each a tenth of the window, the oldest falling out as time goes on.

use std::time::Duration;

const BUCKETS: usize = 10;

/// What is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub calls: u32,
    pub failed: u32,
    pub slow: u32,
}

/// A sliding window of counts.
pub(crate) struct Window {
    width: Duration,
    buckets: [(u64, Counts); BUCKETS],
}

impl Window {
    pub(crate) fn new(length: Duration) -> Window {
        Window {
            width: (length / BUCKETS as u32).max(Duration::from_millis(1)),
            buckets: [(0, Counts::default()); BUCKETS],
        }
    }

    pub(crate) fn add(&mut self, now: Duration, more: Counts) {
        let tick = self.tick(now);
        let (bucket_tick, counts) = &mut self.buckets[(tick % BUCKETS as u64) as usize];
        if *bucket_tick != tick {
            (*bucket_tick, *counts) = (tick, Counts::default());
        }
        *counts = counts.plus(more);
    }

    pub(crate) fn sum(&self, now: Duration) -> Counts {
        let tick = self.tick(now);
        let recent = self
            .buckets
            .iter()
            .filter(|(bucket_tick, _)| bucket_tick + BUCKETS as u64 > tick);
        recent.fold(Counts::default(), |total, (_, counts)| total.plus(*counts))
    }

    fn tick(&self, now: Duration) -> u64 {
        u64::try_from(now.as_millis() / self.width.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Counts {
    fn plus(self, other: Counts) -> Counts {
        Counts {
            calls: self.calls.saturating_add(other.calls),
            failed: self.failed.saturating_add(other.failed),
            slow: self.slow.saturating_add(other.slow),
        }
    }
}

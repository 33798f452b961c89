//! Counts of the last while: ten buckets, each a tenth of the window, the oldest falling out as time goes on.

use std::time::Duration;

use super::Settings;

const BUCKETS: usize = 10;

/// Counts of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    calls: u32,
    failed: u32,
    slow: u32,
}

/// A sliding window of counts.
pub(super) struct Window {
    width: Duration,
    buckets: [(u64, Sum); BUCKETS],
}

impl Window {
    pub(super) fn new(length: Duration) -> Window {
        Window {
            width: (length / BUCKETS as u32).max(Duration::from_millis(1)),
            buckets: [(0, Sum::default()); BUCKETS],
        }
    }

    pub(super) fn count(&mut self, now: Duration, failed: bool, slow: bool) {
        let tick = self.tick(now);
        let (bucket_tick, sum) = &mut self.buckets[(tick % BUCKETS as u64) as usize];
        if *bucket_tick != tick {
            (*bucket_tick, *sum) = (tick, Sum::default());
        }
        sum.calls += 1;
        sum.failed += u32::from(failed);
        sum.slow += u32::from(slow);
    }

    pub(super) fn sum(&self, now: Duration) -> Sum {
        let tick = self.tick(now);
        let recent = self
            .buckets
            .iter()
            .filter(|(bucket_tick, _)| bucket_tick + BUCKETS as u64 > tick);
        recent.fold(Sum::default(), |total, (_, sum)| Sum {
            calls: total.calls + sum.calls,
            failed: total.failed + sum.failed,
            slow: total.slow + sum.slow,
        })
    }

    fn tick(&self, now: Duration) -> u64 {
        u64::try_from(now.as_millis() / self.width.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Sum {
    /// Enough calls, and too many of them failed or slow.
    pub(super) fn trips(self, settings: &Settings) -> bool {
        let share = |count: u32| f64::from(count) / f64::from(self.calls);
        self.calls >= settings.min_calls
            && (share(self.failed) >= settings.failure_rate || share(self.slow) >= settings.slow_rate)
    }
}

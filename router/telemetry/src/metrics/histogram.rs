//! How long things took, or how large they were.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::page::{Collect, Samples};
use super::stripes;

const MS: u64 = 1_000_000;

/// Upper bounds of buckets, in whole units, and how many of these make one of what is shown.
#[derive(Debug, Clone, Copy)]
pub struct Buckets {
    bounds: &'static [u64],
    per_shown: f64,
}

impl Buckets {
    /// Of requests: half a millisecond to ten seconds.
    pub const REQUESTS: Buckets = Buckets {
        bounds: &[
            MS / 2,
            MS,
            5 * MS / 2,
            5 * MS,
            10 * MS,
            25 * MS,
            50 * MS,
            100 * MS,
            250 * MS,
            500 * MS,
            1_000 * MS,
            2_500 * MS,
            5_000 * MS,
            10_000 * MS,
        ],
        per_shown: 1e9,
    };
    /// Of things that take a while: ten milliseconds to an hour.
    pub const LONG: Buckets = Buckets {
        bounds: &[
            10 * MS,
            50 * MS,
            250 * MS,
            1_000 * MS,
            5_000 * MS,
            15_000 * MS,
            60_000 * MS,
            300_000 * MS,
            900_000 * MS,
            3_600_000 * MS,
        ],
        per_shown: 1e9,
    };
    /// Of bytes: 256 to 16 MiB, in steps of four.
    pub const BYTES: Buckets = Buckets {
        bounds: &[
            1 << 8,
            1 << 10,
            1 << 12,
            1 << 14,
            1 << 16,
            1 << 18,
            1 << 20,
            1 << 22,
            1 << 24,
        ],
        per_shown: 1.0,
    };
    /// Of costs: one to a hundred millions, in steps of ten.
    pub const COSTS: Buckets = Buckets {
        bounds: &[
            0,
            1,
            10,
            100,
            1_000,
            10_000,
            100_000,
            1_000_000,
            10_000_000,
            100_000_000,
        ],
        per_shown: 1.0,
    };
    /// Of things counted by hand.
    pub const COUNTS: Buckets = Buckets {
        bounds: &[0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
        per_shown: 1.0,
    };
}

/// A histogram. Clones observe the same thing.
#[derive(Debug, Clone)]
pub struct Histogram {
    buckets: Buckets,
    /// Of each stripe: one cell per bound, one for what is above, the sum.
    stripes: Arc<[Box<[AtomicU64]>]>,
}

impl Histogram {
    /// Nothing seen yet.
    pub fn new(buckets: Buckets) -> Histogram {
        let stripe = || (0..buckets.bounds.len() + 2).map(|_| AtomicU64::new(0)).collect();
        Histogram {
            buckets,
            stripes: (0..stripes::count()).map(|_| stripe()).collect(),
        }
    }

    /// Something took this long.
    pub fn took(&self, time: Duration) {
        self.observe(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Something was so many units (nanoseconds of a time, else bytes or pieces).
    pub fn observe(&self, units: u64) {
        let stripe = &self.stripes[stripes::mine(self.stripes.len())];
        let bounds = self.buckets.bounds;
        let at = bounds.iter().position(|bound| units <= *bound);
        stripe[at.unwrap_or(bounds.len())].fetch_add(1, Ordering::Relaxed);
        stripe[bounds.len() + 1].fetch_add(units, Ordering::Relaxed);
    }

    /// How often anything was seen.
    pub fn count(&self) -> u64 {
        (0..=self.buckets.bounds.len()).map(|at| self.total(at)).sum()
    }

    /// What all that was seen adds up to, as it is shown.
    pub fn sum(&self) -> f64 {
        self.total(self.buckets.bounds.len() + 1) as f64 / self.buckets.per_shown
    }

    fn total(&self, at: usize) -> u64 {
        self.stripes
            .iter()
            .map(|stripe| stripe[at].load(Ordering::Relaxed))
            .sum()
    }
}

impl Collect for Histogram {
    fn collect(&self, samples: &mut Samples<'_>) {
        let Buckets { bounds, per_shown } = self.buckets;
        let mut below = 0;
        for (at, bound) in bounds.iter().enumerate() {
            below += self.total(at);
            samples.bucket(Some(*bound as f64 / per_shown), below);
        }
        below += self.total(bounds.len());
        samples.bucket(None, below);
        samples.sum_and_count(self.sum(), below);
    }
}

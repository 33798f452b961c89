//! A number that goes up and down.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::page::{Collect, Samples};

/// A gauge. Clones show the same thing. What it was [`set`](Gauge::set) to and what was added since are kept apart, so
/// that use one way or the other of one gauge.
#[derive(Debug, Clone, Default)]
pub struct Gauge {
    value: Arc<Value>,
}

#[derive(Debug, Default)]
struct Value {
    counted: AtomicI64,
    set: AtomicU64,
}

/// While it is kept, the gauge is one higher.
#[derive(Debug)]
pub struct Held(Gauge);

impl Gauge {
    /// It is this now.
    pub fn set(&self, value: f64) {
        self.value.set.store(value.to_bits(), Ordering::Relaxed);
    }

    /// So many more, or fewer.
    pub fn add(&self, more: i64) {
        self.value.counted.fetch_add(more, Ordering::Relaxed);
    }

    /// One more, until what is returned is dropped.
    #[must_use]
    pub fn hold(&self) -> Held {
        self.add(1);
        Held(self.clone())
    }

    /// What it is now.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.value.set.load(Ordering::Relaxed))
            + self.value.counted.load(Ordering::Relaxed) as f64
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

impl Collect for Gauge {
    fn collect(&self, samples: &mut Samples<'_>) {
        samples.plain(self.get());
    }
}

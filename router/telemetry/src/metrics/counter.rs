//! A number that only grows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::page::{Collect, Samples};
use super::stripes;

/// Alone on its cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Cell(AtomicU64);

/// A counter. Clones count the same thing.
#[derive(Debug, Clone)]
pub struct Counter {
    cells: Arc<[Cell]>,
}

impl Default for Counter {
    fn default() -> Counter {
        Counter {
            cells: (0..stripes::count()).map(|_| Cell::default()).collect(),
        }
    }
}

impl Counter {
    /// One more.
    pub fn inc(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        let cell = &self.cells[stripes::mine(self.cells.len())];
        cell.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.cells.iter().map(|cell| cell.0.load(Ordering::Relaxed)).sum()
    }
}

impl Collect for Counter {
    fn collect(&self, samples: &mut Samples<'_>) {
        samples.plain(self.get() as f64);
    }
}

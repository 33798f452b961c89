//! Which copy of a value a thread writes. Threads that count the same thing would otherwise pass one cache line around,
//! which costs more than the counting.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More copies than this cost memory and gain little.
const MOST: usize = 16;

static NEXT: AtomicUsize = AtomicUsize::new(0);
static COUNT: OnceLock<usize> = OnceLock::new();

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// How many copies there are: a power of two.
pub fn count() -> usize {
    *COUNT.get_or_init(|| {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        processors.next_power_of_two().min(MOST)
    })
}

/// This thread's copy among `count`, which is a power of two.
pub fn mine(count: usize) -> usize {
    let mut mine = MINE.get();
    if mine == usize::MAX {
        mine = NEXT.fetch_add(1, Ordering::Relaxed);
        MINE.set(mine);
    }
    mine & (count - 1)
}

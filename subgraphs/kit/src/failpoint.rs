//! Faults on demand: a process that dies at a named point, a safety net that is off, a clock that has jumped.
//!
//! * `BAEDAL_FAILPOINTS=relay.after_send=kill@3,…`: the third time this process gets there it dies, as by `kill -9`: no
//!   destructor runs, nothing is flushed.
//! * `BAEDAL_SABOTAGE=inbox,…`: this safety net does nothing, so that a test can show what it is there for.
//! * `BAEDAL_CLOCK_SHIFT=FILE`: the file holds milliseconds, by which the process's wall clock is off; none while it is
//!   absent. It may change while the process runs.
//! * `BAEDAL_RELEASE=next`: to others this process looks like the next release.
//!
//! All of it exists in builds with debug assertions only. In a release build these functions are empty and the variables
//! are not so much as named: a test of this crate compiles this file both ways and looks.

/// Dies here, if it is this point's turn.
#[inline(always)]
pub fn hit(point: &str) {
    #[cfg(debug_assertions)]
    armed::hit(point);
    #[cfg(not(debug_assertions))]
    let _ = point;
}

/// Whether this safety net is off. Never, in a release build.
#[inline(always)]
pub fn sabotaged(net: &str) -> bool {
    #[cfg(debug_assertions)]
    return armed::sabotaged(net);
    #[cfg(not(debug_assertions))]
    {
        let _ = net;
        false
    }
}

/// Turns this safety net off in this process, and all others on: for experiments on services that run inside them.
pub fn sabotage(net: &str) {
    #[cfg(debug_assertions)]
    armed::sabotage(net);
    #[cfg(not(debug_assertions))]
    let _ = net;
}

/// Turns safety nets off for all that this thread does: for simulations, which live in one thread.
pub fn sabotage_this_thread(nets: &[&str]) {
    #[cfg(debug_assertions)]
    armed::sabotage_this_thread(nets);
    #[cfg(not(debug_assertions))]
    let _ = nets;
}

/// Whether this process looks like the next release. Never, in a release build.
#[inline(always)]
pub fn next_release() -> bool {
    #[cfg(debug_assertions)]
    return armed::next_release();
    #[cfg(not(debug_assertions))]
    false
}

/// By how many milliseconds the wall clock is off. Never, in a release build.
#[inline(always)]
pub fn clock_shift_ms() -> i64 {
    #[cfg(debug_assertions)]
    return armed::clock_shift_ms();
    #[cfg(not(debug_assertions))]
    0
}

#[cfg(debug_assertions)]
mod armed {
    use std::{
        cell::RefCell,
        collections::{HashMap, HashSet},
        sync::{
            LazyLock, RwLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    /// A point and the hits that are left until the process dies there.
    type Points = HashMap<String, AtomicU64>;

    static POINTS: LazyLock<Points> = LazyLock::new(|| {
        let points = variable("BAEDAL_FAILPOINTS");
        points.split(',').filter_map(point).collect()
    });

    static SABOTAGED: LazyLock<RwLock<HashSet<String>>> =
        LazyLock::new(|| RwLock::new(set(&variable("BAEDAL_SABOTAGE"))));

    static NEXT: LazyLock<bool> = LazyLock::new(|| variable("BAEDAL_RELEASE") == "next");

    static CLOCK_SHIFT: LazyLock<String> = LazyLock::new(|| variable("BAEDAL_CLOCK_SHIFT"));

    thread_local! {
        static OF_THREAD: RefCell<HashSet<String>> = RefCell::default();
    }

    fn set(nets: &str) -> HashSet<String> {
        let nets = nets.split(',').filter(|net| !net.is_empty());
        nets.map(str::to_owned).collect()
    }

    fn variable(name: &str) -> String {
        std::env::var(name).unwrap_or_default()
    }

    /// `NAME=kill@N`.
    fn point(text: &str) -> Option<(String, AtomicU64)> {
        let (name, action) = text.split_once('=')?;
        let hits = action.strip_prefix("kill@")?.parse().ok()?;
        Some((name.to_owned(), AtomicU64::new(hits)))
    }

    pub fn hit(point: &str) {
        let Some(left) = POINTS.get(point) else {
            return;
        };
        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
            eprintln!("failpoint {point}: this process dies here");
            std::process::abort();
        }
    }

    pub fn sabotaged(net: &str) -> bool {
        let off = SABOTAGED.read().is_ok_and(|nets| nets.contains(net));
        off || OF_THREAD.with_borrow(|nets| nets.contains(net))
    }

    pub fn sabotage(net: &str) {
        *SABOTAGED.write().expect("no holder panics") = set(net);
    }

    pub fn sabotage_this_thread(nets: &[&str]) {
        OF_THREAD.set(nets.iter().map(|net| (*net).to_owned()).collect());
    }

    pub fn next_release() -> bool {
        *NEXT
    }

    pub fn clock_shift_ms() -> i64 {
        if CLOCK_SHIFT.is_empty() {
            return 0;
        }
        let text = std::fs::read_to_string(CLOCK_SHIFT.as_str()).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }
}

//! Adaptive concurrency: how many calls at once, found out by how long they take (additive increase, multiplicative
//! decrease, as TCP does: RFC 5681, section 3.1).

use std::time::Duration;

/// What is left of a limit after a cut.
const CUT: f64 = 0.9;

/// How a limit is found.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// It never becomes smaller than this.
    pub least: usize,
    /// A call that takes longer says that there are too many of them.
    pub target: Duration,
}

/// A limit that moves between `least` and `most`.
#[derive(Debug)]
pub(crate) struct Adaptive {
    settings: Settings,
    most: usize,
    limit: f64,
    /// Calls that began before it say nothing about the limit of now.
    cut_at: Duration,
}

impl Adaptive {
    /// Begins with all there may be.
    pub(crate) fn new(settings: Settings, most: usize) -> Adaptive {
        let least = settings.least.clamp(1, most);
        Adaptive {
            settings: Settings { least, ..settings },
            most,
            limit: most as f64,
            cut_at: Duration::ZERO,
        }
    }

    /// A call is over; gives the limit from now on.
    pub(crate) fn observe(
        &mut self,
        began: Duration,
        now: Duration,
        failed: bool,
        under_way: usize,
    ) -> usize {
        let late = now.saturating_sub(began) > self.settings.target;
        if failed || late {
            // One burst is one sign, however many calls it slowed down.
            if began >= self.cut_at {
                self.limit = (self.limit * CUT).max(self.settings.least as f64);
                self.cut_at = now;
            }
        } else if under_way * 2 >= self.limit as usize {
            // About one more for each round of calls, and only where the limit is what holds them back.
            self.limit = (self.limit + 1.0 / self.limit).min(self.most as f64);
        }
        self.limit as usize
    }
}

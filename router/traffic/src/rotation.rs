//! Several places that do the same: asked in turn, each behind a breaker of its own, so that one that is down is left
//! out and found again by its probes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::breaker::{self, Breaker, Outcome, Pass, Rejected};
use crate::clock::Clock;

/// Some places, by number.
pub struct Rotation {
    /// Empty for a single place: the breaker before all of them is enough.
    breakers: Box<[Breaker]>,
    next: AtomicUsize,
}

/// The place for one call.
pub struct Pick<'a> {
    /// Its number.
    pub index: usize,
    pass: Option<Pass<'a>>,
}

impl Rotation {
    /// Places of these names, behind breakers that are `settings` but for the least number of calls: one place must be
    /// left out before it spoils the count of all of them.
    pub fn new(names: &[String], settings: &breaker::Settings, clock: &Arc<dyn Clock>) -> Rotation {
        let several = names.iter().filter(|_| names.len() > 1);
        let settings = of_one(settings, names.len());
        let breaker = |name: &String| Breaker::new(name, settings.clone(), Arc::clone(clock));
        Rotation {
            breakers: several.map(breaker).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// The next place that may be called.
    pub fn pick(&self) -> Result<Pick<'_>, Rejected> {
        let count = self.breakers.len();
        if count == 0 {
            return Ok(Pick { index: 0, pass: None });
        }
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut soonest: Option<Rejected> = None;
        for step in 0..count {
            let index = first.wrapping_add(step) % count;
            match self.breakers[index].enter() {
                Ok(pass) => {
                    // The turns of those left out are not all their neighbour's.
                    self.next.fetch_add(step, Ordering::Relaxed);
                    return Ok(Pick {
                        index,
                        pass: Some(pass),
                    });
                }
                Err(rejected) => {
                    let before = soonest.map_or(rejected.retry_after, |soonest| soonest.retry_after);
                    soonest = Some(Rejected {
                        retry_after: rejected.retry_after.min(before),
                    });
                }
            }
        }
        Err(soonest.expect("there is at least one place"))
    }

    /// What the breakers show, in the order of the places; empty for a single place.
    pub fn snapshot(&self) -> Vec<breaker::Snapshot> {
        self.breakers.iter().map(Breaker::snapshot).collect()
    }

    /// Other settings from now on.
    pub fn change(&self, settings: &breaker::Settings) {
        let settings = of_one(settings, self.breakers.len());
        self.breakers
            .iter()
            .for_each(|breaker| breaker.change(settings.clone()));
    }
}

fn of_one(settings: &breaker::Settings, places: usize) -> breaker::Settings {
    let places = u32::try_from(places.max(1)).unwrap_or(u32::MAX);
    breaker::Settings {
        min_calls: (settings.min_calls / places.saturating_mul(2)).max(3),
        ..settings.clone()
    }
}

impl Pick<'_> {
    /// The call is over.
    pub fn finish(self, outcome: Outcome) {
        if let Some(pass) = self.pass {
            pass.finish(outcome);
        }
    }
}

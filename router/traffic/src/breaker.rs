//! A circuit breaker: stops calling what does not answer, and finds out when it does again.
//!
//! CLOSED lets all calls through and counts them over a sliding time window; when enough of them failed, or were slow,
//! it becomes OPEN and rejects calls at once. After a while it becomes HALF-OPEN and lets exactly `probes` calls through:
//! by them it closes or opens again. A call that was let in before a change of state has no say after it, and a call its
//! caller gave up counts for nothing.

mod settings;
mod view;

use std::{sync::Arc, time::Duration};

pub use settings::Settings;
pub use view::{Snapshot, State};

use crate::clock::Clock;
use crate::sync::{Mutex, MutexGuard};
use crate::window::{Counts, Window};

/// A breaker, shared by all callers of one thing.
pub struct Breaker {
    name: String,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered, whatever the answer.
    Success,
    /// It was not: timeout, broken line, server's fault.
    Failure,
    /// Whoever called gave it up, so that nothing is known.
    Abandoned,
}

/// The call is not to be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// When it may be worth trying again.
    pub retry_after: Duration,
}

struct Inner {
    settings: Settings,
    phase: Phase,
    /// Counts changes of state; a pass of another generation has no say.
    generation: u64,
    opened: u64,
    half_opened: u64,
    closed: u64,
    rejected: u64,
}

enum Phase {
    Closed(Box<Window>),
    Open { until: Duration },
    HalfOpen { entered: u32, good: u32, bad: u32 },
}

/// Leave to make one call. Dropped without [`Pass::finish`] the call counts for nothing.
pub struct Pass<'a> {
    breaker: &'a Breaker,
    generation: u64,
    began: Duration,
    finished: bool,
}

impl Breaker {
    /// A closed breaker. `name` is for the log.
    pub fn new(name: impl Into<String>, settings: Settings, clock: Arc<dyn Clock>) -> Breaker {
        let settings = settings.sane();
        let inner = Inner {
            phase: closed(&settings),
            settings,
            generation: 0,
            opened: 0,
            half_opened: 0,
            closed: 0,
            rejected: 0,
        };
        Breaker {
            name: name.into(),
            clock,
            inner: Mutex::new(inner),
        }
    }

    /// Asks leave to make a call.
    pub fn enter(&self) -> Result<Pass<'_>, Rejected> {
        let now = self.clock.now();
        let mut inner = self.lock();
        if let Phase::Open { until } = inner.phase
            && now >= until
        {
            let half_open = Phase::HalfOpen {
                entered: 0,
                good: 0,
                bad: 0,
            };
            inner.change(&self.name, half_open);
        }
        let Settings {
            probes,
            slow_call,
            open_for,
            ..
        } = inner.settings;
        let retry_after = match &mut inner.phase {
            Phase::Closed(_) => None,
            Phase::Open { until } => Some(until.saturating_sub(now)),
            Phase::HalfOpen { entered, .. } if *entered < probes => {
                *entered += 1;
                None
            }
            Phase::HalfOpen { .. } => Some(slow_call.min(open_for)),
        };
        match retry_after {
            None => Ok(Pass {
                breaker: self,
                generation: inner.generation,
                began: now,
                finished: false,
            }),
            Some(retry_after) => {
                inner.rejected += 1;
                Err(Rejected { retry_after })
            }
        }
    }

    /// A call that counted as answered turns out to be a failure: its answer was of no use.
    pub fn regret(&self) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let failed = Counts {
            failed: 1,
            ..Counts::default()
        };
        if let Some(open) = inner.count(now, failed) {
            inner.change(&self.name, open);
        }
    }

    /// Other settings from now on. What was counted is forgotten; an open breaker stays open, unless it is switched off.
    pub fn change(&self, settings: Settings) {
        let settings = settings.sane();
        let mut inner = self.lock();
        if inner.settings == settings {
            return;
        }
        let is_closed = inner.phase.state() == State::Closed;
        inner.settings = settings;
        let anew = closed(&inner.settings);
        if is_closed {
            inner.phase = anew;
        } else if !inner.settings.enabled {
            inner.change(&self.name, anew);
        }
    }

    /// What it shows of itself.
    pub fn snapshot(&self) -> Snapshot {
        let inner = self.lock();
        let Inner {
            opened,
            half_opened,
            closed,
            rejected,
            ..
        } = *inner;
        Snapshot {
            state: inner.phase.state(),
            opened,
            half_opened,
            closed,
            rejected,
        }
    }

    /// How it is set.
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .expect("no holder of the breaker's state panics")
    }

    fn record(&self, generation: u64, failed: bool, began: Duration) {
        let now = self.clock.now();
        let mut inner = self.lock();
        if inner.generation != generation {
            return;
        }
        let slow = now.saturating_sub(began) >= inner.settings.slow_call;
        let counts = Counts {
            calls: 1,
            failed: failed.into(),
            slow: slow.into(),
        };
        let next = match &mut inner.phase {
            Phase::HalfOpen { good, bad, .. } => {
                let spoilt = u32::from(failed || slow);
                (*good, *bad) = (*good + 1 - spoilt, *bad + spoilt);
                let (good, bad) = (*good, *bad);
                inner.verdict(good, bad, now)
            }
            _ => inner.count(now, counts),
        };
        if let Some(phase) = next {
            inner.change(&self.name, phase);
        }
    }

    fn give_back(&self, generation: u64) {
        let mut inner = self.lock();
        if inner.generation == generation
            && let Phase::HalfOpen { entered, .. } = &mut inner.phase
        {
            *entered = entered.saturating_sub(1);
        }
    }
}

fn closed(settings: &Settings) -> Phase {
    Phase::Closed(Box::new(Window::new(settings.window)))
}

impl Inner {
    /// Counts while closed; gives the next phase if that is one too many.
    fn count(&mut self, now: Duration, counts: Counts) -> Option<Phase> {
        let Phase::Closed(window) = &mut self.phase else {
            return None;
        };
        window.add(now, counts);
        let sum = window.sum(now);
        self.settings.trip(sum).then(|| self.open(now))
    }

    /// What the probes so far say; nothing while both ends are possible.
    fn verdict(&self, good: u32, bad: u32, now: Duration) -> Option<Phase> {
        let Settings {
            probes, failure_rate, ..
        } = self.settings;
        if f64::from(bad) / f64::from(probes) >= failure_rate {
            return Some(self.open(now));
        }
        (good + bad >= probes).then(|| closed(&self.settings))
    }

    fn open(&self, now: Duration) -> Phase {
        Phase::Open {
            until: now + self.settings.open_for,
        }
    }

    fn change(&mut self, name: &str, phase: Phase) {
        let (from, to) = (self.phase.state(), phase.state());
        if to == State::Open {
            tracing::warn!(
                circuit = name,
                from = from.name(),
                to = to.name(),
                "circuit breaker"
            );
        } else {
            tracing::info!(
                circuit = name,
                from = from.name(),
                to = to.name(),
                "circuit breaker"
            );
        }
        match to {
            State::Closed => self.closed += 1,
            State::Open => self.opened += 1,
            State::HalfOpen => self.half_opened += 1,
        }
        self.generation += 1;
        self.phase = phase;
    }
}

impl Phase {
    fn state(&self) -> State {
        match self {
            Phase::Closed(_) => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }
}

impl Pass<'_> {
    /// The call is over.
    pub fn finish(mut self, outcome: Outcome) {
        if outcome == Outcome::Abandoned {
            return;
        }
        self.finished = true;
        self.breaker
            .record(self.generation, outcome == Outcome::Failure, self.began);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.breaker.give_back(self.generation);
        }
    }
}

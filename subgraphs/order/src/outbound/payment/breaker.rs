//! A circuit breaker: stops calling what does not answer, and finds out when it does again.
//!
//! CLOSED lets all calls through and counts them over a sliding time window; when enough of them failed, or were slow,
//! it becomes OPEN and rejects calls at once. After a while it becomes HALF-OPEN and lets exactly `probes` calls through:
//! by them it closes or opens again. A call that was let in before a change of state has no say after it, and a call its
//! caller gave up counts for nothing.
//!
//! Knows no protocol and no domain. Time comes from a [`Clock`], so tests can move it.

mod clock;
mod settings;
mod window;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

pub use clock::{Clock, TokioClock};
pub use settings::Settings;
use window::Window;

/// A breaker, shared by all callers of one thing.
pub struct Breaker {
    settings: Settings,
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
}

/// The call is not to be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// When it may be worth trying again.
    pub retry_after: Duration,
}

/// The name of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum State {
    Closed,
    Open,
    HalfOpen,
}

/// What a breaker shows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it stands.
    pub state: State,
    /// How often it has opened.
    pub opened: u64,
    /// How often it has become half-open.
    pub half_opened: u64,
    /// How often it has closed again.
    pub closed: u64,
    /// Calls rejected.
    pub rejected: u64,
}

struct Inner {
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
    /// A closed breaker.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Breaker {
        let settings = settings.sane();
        let phase = Phase::Closed(Box::new(Window::new(settings.window)));
        let inner = Inner {
            phase,
            generation: 0,
            opened: 0,
            half_opened: 0,
            closed: 0,
            rejected: 0,
        };
        Breaker {
            settings,
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
            inner.change(Phase::HalfOpen {
                entered: 0,
                good: 0,
                bad: 0,
            });
        }
        let retry_after = match &mut inner.phase {
            Phase::Closed(_) => None,
            Phase::Open { until } => Some(until.saturating_sub(now)),
            Phase::HalfOpen { entered, .. } if *entered < self.settings.probes => {
                *entered += 1;
                None
            }
            Phase::HalfOpen { .. } => Some(self.settings.slow_call),
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
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .expect("no holder of the breaker's state panics")
    }

    fn record(&self, generation: u64, outcome: Outcome, took: Duration) {
        let now = self.clock.now();
        let (failed, slow) = (outcome == Outcome::Failure, took >= self.settings.slow_call);
        let mut inner = self.lock();
        if inner.generation != generation {
            return;
        }
        let next = match &mut inner.phase {
            Phase::Closed(window) => {
                window.count(now, failed, slow);
                window.sum(now).trips(&self.settings).then(|| self.open(now))
            }
            Phase::HalfOpen { good, bad, .. } => {
                let spoilt = u32::from(failed || slow);
                (*good, *bad) = (*good + 1 - spoilt, *bad + spoilt);
                self.verdict(*good, *bad, now)
            }
            Phase::Open { .. } => None,
        };
        if let Some(phase) = next {
            inner.change(phase);
        }
    }

    /// What the probes so far say; nothing while both ends are possible.
    fn verdict(&self, good: u32, bad: u32, now: Duration) -> Option<Phase> {
        let probes = self.settings.probes;
        if f64::from(bad) / f64::from(probes) >= self.settings.failure_rate {
            return Some(self.open(now));
        }
        (good + bad >= probes).then(|| Phase::Closed(Box::new(Window::new(self.settings.window))))
    }

    fn open(&self, now: Duration) -> Phase {
        Phase::Open {
            until: now + self.settings.open_for,
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

impl Inner {
    fn change(&mut self, phase: Phase) {
        tracing::info!(from = ?self.phase.state(), to = ?phase.state(), "circuit breaker");
        match phase.state() {
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
    /// The call is over; gives `answer` back.
    pub fn finish<T>(mut self, outcome: Outcome, answer: T) -> T {
        self.finished = true;
        let took = self.breaker.clock.now().saturating_sub(self.began);
        self.breaker.record(self.generation, outcome, took);
        answer
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.breaker.give_back(self.generation);
        }
    }
}

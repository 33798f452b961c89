//! All layers around one thing that is called.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::breaker::{self, Breaker, Outcome, Rejected};
use crate::budget::Budget;
use crate::bulkhead::{self, Bulkhead, Full, Place};
use crate::clock::Clock;
use crate::retry;

/// How calls to one thing are guarded.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Longest time for one call.
    pub timeout: Duration,
    /// How many at once.
    pub bulkhead: bulkhead::Settings,
    /// When to stop calling for a while.
    pub breaker: breaker::Settings,
    /// When to try again.
    pub retry: retry::Settings,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            timeout: Duration::from_secs(30),
            bulkhead: bulkhead::Settings::default(),
            breaker: breaker::Settings::default(),
            retry: retry::Settings::default(),
        }
    }
}

/// The layers, shared by all who call one thing.
pub struct Layers {
    clock: Arc<dyn Clock>,
    settings: ArcSwap<Settings>,
    bulkhead: Bulkhead,
    breaker: Breaker,
    budget: Budget,
    timed_out: AtomicU64,
    retried: AtomicU64,
}

/// One call, as its caller sees it.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// How long its caller waits. A call that was given less than half of its time, or of what is slow, is not to blame
    /// for having taken longer.
    pub within: Duration,
    /// Whether it rather waits for its turn all that time than be refused.
    pub patient: bool,
}

/// Why there is no outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Too many at once; nothing was sent.
    #[error("too many calls at once")]
    Full,
    /// The circuit is open; nothing was sent.
    #[error("the circuit is open for another {0:?}")]
    Open(Duration),
    /// It was made, and took too long.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
}

/// What layers show of themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// The breaker.
    pub breaker: breaker::Snapshot,
    /// How many calls there may be at once.
    pub limit: usize,
    /// How many there are.
    pub under_way: usize,
    /// How many wait for their turn.
    pub waiting: usize,
    /// Calls that got no turn.
    pub refused: u64,
    /// Calls that took too long.
    pub timed_out: u64,
    /// Calls made once more.
    pub retried: u64,
}

impl Layers {
    /// Layers before nothing called yet. `name` is for the log.
    pub fn new(name: impl Into<String>, settings: Settings, clock: Arc<dyn Clock>) -> Layers {
        Layers {
            bulkhead: Bulkhead::new(settings.bulkhead.clone()),
            breaker: Breaker::new(name, settings.breaker.clone(), Arc::clone(&clock)),
            budget: Budget::new(settings.retry.budget, Arc::clone(&clock)),
            settings: ArcSwap::from_pointee(settings),
            clock,
            timed_out: AtomicU64::new(0),
            retried: AtomicU64::new(0),
        }
    }

    /// How they are set.
    pub fn settings(&self) -> Arc<Settings> {
        self.settings.load_full()
    }

    /// Longest time for one call.
    pub fn timeout(&self) -> Duration {
        self.settings.load().timeout
    }

    /// Other settings from now on; what is under way, and the state of the breaker, stay.
    pub fn change(&self, settings: Settings) {
        self.bulkhead.change(settings.bulkhead.clone());
        self.breaker.change(settings.breaker.clone());
        self.budget.change(settings.retry.budget);
        self.settings.store(Arc::new(settings));
    }

    /// Makes a call, if it may be made; `judge` says how it went.
    pub async fn call<T>(
        &self,
        ask: Ask,
        call: impl Future<Output = T>,
        judge: impl FnOnce(&T) -> Outcome,
    ) -> Result<T, Stopped> {
        let place = self.place(ask).await.map_err(|Full| Stopped::Full)?;
        let pass = self.breaker.enter();
        let pass = pass.map_err(|Rejected { retry_after }| Stopped::Open(retry_after))?;
        let began = self.clock.now();
        let (timeout, slow_call) = {
            let settings = self.settings.load();
            (settings.timeout, settings.breaker.slow_call)
        };
        let within = ask.within.min(timeout);
        let answered = tokio::time::timeout(within, call).await;
        let outcome = match &answered {
            Ok(answer) => judge(answer),
            Err(_) if within < timeout.min(slow_call) / 2 => Outcome::Abandoned,
            Err(_) => Outcome::Failure,
        };
        place.leave(began, self.clock.now(), outcome == Outcome::Failure);
        pass.finish(outcome);
        answered.map_err(|_| {
            self.timed_out.fetch_add(1, Ordering::Relaxed);
            Stopped::TimedOut(within)
        })
    }

    async fn place(&self, ask: Ask) -> Result<Place<'_>, Full> {
        if ask.patient {
            self.bulkhead.enter_within(ask.within).await
        } else {
            self.bulkhead.enter().await
        }
    }

    /// A read begins: a share of a retry is earned.
    pub fn begin(&self) {
        self.budget.deposit();
    }

    /// The pause before a read that failed is repeated (`attempt`: repeats so far), if it may be: within `left`, and
    /// within the budget, from which it is taken. `draw` is by chance, from 0 to 1.
    pub fn retry(
        &self,
        attempt: u32,
        draw: f64,
        asked: Option<Duration>,
        left: Duration,
    ) -> Option<Duration> {
        let pause = self.settings.load().retry.pause(attempt, draw, asked)?;
        let may = pause < left && self.budget.withdraw();
        may.then(|| {
            self.retried.fetch_add(1, Ordering::Relaxed);
            pause
        })
    }

    /// An answer that counted as one turns out to be of no use.
    pub fn regret(&self) {
        self.breaker.regret();
    }

    /// The breaker, for operators.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// What they show of themselves.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            breaker: self.breaker.snapshot(),
            limit: self.bulkhead.limit(),
            under_way: self.bulkhead.under_way(),
            waiting: self.bulkhead.waiting(),
            refused: self.bulkhead.refused(),
            timed_out: self.timed_out.load(Ordering::Relaxed),
            retried: self.retried.load(Ordering::Relaxed),
        }
    }
}

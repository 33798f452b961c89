//! A budget for retries: a share of the calls of the last ten seconds and a few more, so that retries cannot multiply
//! the load of what is down already.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::window::{Counts, Window};

const WINDOW: Duration = Duration::from_secs(10);

/// How many retries there may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// For each call, this share of a retry (0.2: one retry for five calls).
    pub share: f64,
    /// Retries per second that are allowed besides.
    pub per_second: f64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            share: 0.2,
            per_second: 10.0,
        }
    }
}

/// Counts calls and retries.
pub struct Budget {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    settings: Settings,
    /// `failed` counts the retries.
    window: Window,
}

impl Budget {
    /// Nothing is spent yet.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Budget {
        Budget {
            clock,
            inner: Mutex::new(Inner {
                settings,
                window: Window::new(WINDOW),
            }),
        }
    }

    /// A first call is made.
    pub fn deposit(&self) {
        let calls = Counts {
            calls: 1,
            ..Counts::default()
        };
        let now = self.clock.now();
        self.lock().window.add(now, calls);
    }

    /// Whether there may be a retry; if so, it is spent.
    pub fn withdraw(&self) -> bool {
        let now = self.clock.now();
        let mut inner = self.lock();
        let Counts { calls, failed, .. } = inner.window.sum(now);
        let Settings { share, per_second } = inner.settings;
        let most = share * f64::from(calls) + per_second * WINDOW.as_secs_f64();
        let may = f64::from(failed) + 1.0 <= most;
        let retry = Counts {
            failed: may.into(),
            ..Counts::default()
        };
        inner.window.add(now, retry);
        may
    }

    /// Other settings from now on.
    pub fn change(&self, settings: Settings) {
        self.lock().settings = settings;
    }

    /// A poisoned lock holds a whole window: no change under it can stop halfway.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

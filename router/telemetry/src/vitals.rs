//! Signs of life. A process that answers is not yet one that works: a loop that consumes, relays or serves may hang
//! while others go on. Each such loop has a [`Pulse`] and beats it in every round; one that has not beaten for longer
//! than it may is named by [`Vitals::silent`], and the liveness probe fails with its name.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::metrics::Gauge;

/// How often an event loop beats.
const BEAT: Duration = Duration::from_millis(250);
/// How long a loop may be silent before it counts as hung, unless it says otherwise: above any pause that load makes.
pub const LIMIT: Duration = Duration::from_secs(15);

/// The pulses of one part of a process. Clones are the same.
#[derive(Debug, Clone)]
pub struct Vitals {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    start: Instant,
    hearts: Mutex<Vec<Arc<Heart>>>,
}

#[derive(Debug)]
struct Heart {
    name: String,
    limit: Duration,
    start: Instant,
    /// Milliseconds after the start of the last beat.
    beat: AtomicU64,
    broken: AtomicBool,
}

/// The pulse of one loop. Dropped with a loop that ended as it should, it is forgotten; dropped by a panic, it is not.
#[derive(Debug)]
pub struct Pulse {
    heart: Arc<Heart>,
    vitals: Vitals,
}

/// A loop that hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silent {
    /// Its name.
    pub name: String,
    /// How long it has not been heard of; nothing when it ended by a panic.
    pub since: Option<Duration>,
}

impl fmt::Display for Silent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.since {
            Some(since) => write!(
                out,
                "{} has given no sign of life for {} s",
                self.name,
                since.as_secs()
            ),
            None => write!(out, "{} has ended by a panic", self.name),
        }
    }
}

impl Default for Vitals {
    fn default() -> Vitals {
        Vitals {
            inner: Arc::new(Inner {
                start: Instant::now(),
                hearts: Mutex::default(),
            }),
        }
    }
}

impl Vitals {
    /// A new pulse, which beats now and then must again within `limit`, over and over.
    pub fn pulse(&self, name: impl Into<String>, limit: Duration) -> Pulse {
        let start = self.inner.start;
        let heart = Arc::new(Heart {
            name: name.into(),
            limit,
            start,
            beat: AtomicU64::new(milliseconds(start.elapsed())),
            broken: AtomicBool::new(false),
        });
        self.lock().push(Arc::clone(&heart));
        Pulse {
            heart,
            vitals: self.clone(),
        }
    }

    /// The loops that had been silent for too long at that time.
    pub fn silent(&self, now: Instant) -> Vec<Silent> {
        self.lock().iter().filter_map(|heart| heart.silent(now)).collect()
    }

    /// Beats for the event loop it runs on, forever, and tells how late each beat was.
    pub async fn keep_beating(self, name: impl Into<String>, limit: Duration, lag: Gauge) {
        let pulse = self.pulse(name, limit);
        loop {
            let asked = Instant::now();
            tokio::time::sleep(BEAT).await;
            lag.set(asked.elapsed().saturating_sub(BEAT).as_secs_f64());
            pulse.beat();
        }
    }

    /// A poisoned lock holds whole hearts.
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Heart>>> {
        self.inner.hearts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulse {
    /// The loop went round once more.
    pub fn beat(&self) {
        let heart = &self.heart;
        heart
            .beat
            .store(milliseconds(heart.start.elapsed()), Ordering::Relaxed);
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.heart.broken.store(true, Ordering::Relaxed);
        } else {
            self.vitals
                .lock()
                .retain(|heart| !Arc::ptr_eq(heart, &self.heart));
        }
    }
}

impl Heart {
    fn silent(&self, now: Instant) -> Option<Silent> {
        let name = self.name.clone();
        if self.broken.load(Ordering::Relaxed) {
            return Some(Silent { name, since: None });
        }
        let beat = Duration::from_millis(self.beat.load(Ordering::Relaxed));
        let since = now.saturating_duration_since(self.start).saturating_sub(beat);
        (since > self.limit).then_some(Silent {
            name,
            since: Some(since),
        })
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

//! A bulkhead: so many calls at once, a bounded wait for a turn, and no more than so many who wait, so that one slow
//! thing cannot take its callers down with it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::adaptive::{self, Adaptive};

/// How large it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Calls at once (the most of them, when the limit is adaptive); `None`: any number.
    pub at_once: Option<usize>,
    /// How long a call may wait for its turn.
    pub wait: Duration,
    /// How many may wait; whoever comes then is refused at once.
    pub queue: usize,
    /// Whether the limit follows how long calls take.
    pub adaptive: Option<adaptive::Settings>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            at_once: Some(1024),
            wait: Duration::from_millis(20),
            queue: 1024,
            adaptive: None,
        }
    }
}

impl Settings {
    fn most(&self) -> usize {
        self.at_once
            .unwrap_or(Semaphore::MAX_PERMITS)
            .clamp(1, Semaphore::MAX_PERMITS)
    }
}

/// No turn came in time, or too many wait for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many at once")]
pub struct Full;

/// Room for a number of calls.
pub struct Bulkhead {
    room: Semaphore,
    /// Places that go away when they become free.
    owed: AtomicUsize,
    waiting: AtomicUsize,
    refused: AtomicU64,
    /// Whether the limit is adaptive: a look at `size` less for each call where it is not.
    adapts: AtomicBool,
    size: Mutex<Size>,
}

struct Size {
    settings: Settings,
    limit: usize,
    adaptive: Option<Adaptive>,
}

/// A place, given back when it is dropped.
pub struct Place<'a> {
    bulkhead: &'a Bulkhead,
    permit: Option<SemaphorePermit<'a>>,
}

/// One of those who wait.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Bulkhead {
    /// An empty one.
    pub fn new(settings: Settings) -> Bulkhead {
        let limit = settings.most();
        let adaptive = adaptive_of(&settings);
        Bulkhead {
            room: Semaphore::new(limit),
            owed: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            adapts: AtomicBool::new(adaptive.is_some()),
            size: Mutex::new(Size {
                adaptive,
                settings,
                limit,
            }),
        }
    }

    /// A place, waited for as long as the settings say.
    pub async fn enter(&self) -> Result<Place<'_>, Full> {
        if let Some(place) = self.at_once() {
            return Ok(place);
        }
        let (wait, queue) = {
            let size = self.lock();
            (size.settings.wait, size.settings.queue)
        };
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= queue {
            return self.refuse(waiting);
        }
        self.wait(wait, waiting).await
    }

    /// A place, waited for `patience` long, however many wait: for work whose turn comes late rather than never.
    pub async fn enter_within(&self, patience: Duration) -> Result<Place<'_>, Full> {
        if let Some(place) = self.at_once() {
            return Ok(place);
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.wait(patience, Waiting(&self.waiting)).await
    }

    fn at_once(&self) -> Option<Place<'_>> {
        self.room.try_acquire().ok().map(|permit| self.place(permit))
    }

    async fn wait<'a>(&'a self, time: Duration, waiting: Waiting<'a>) -> Result<Place<'a>, Full> {
        match tokio::time::timeout(time, self.room.acquire()).await {
            Ok(Ok(permit)) => Ok(self.place(permit)),
            Ok(Err(_)) | Err(_) => self.refuse(waiting),
        }
    }

    fn refuse(&self, waiting: Waiting<'_>) -> Result<Place<'_>, Full> {
        drop(waiting);
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Full)
    }

    fn place<'a>(&'a self, permit: SemaphorePermit<'a>) -> Place<'a> {
        Place {
            bulkhead: self,
            permit: Some(permit),
        }
    }

    /// Other settings from now on. What is under way goes on, also where it is more than there may be from now on.
    pub fn change(&self, settings: Settings) {
        let mut size = self.lock();
        if size.settings == settings {
            return;
        }
        size.adaptive = adaptive_of(&settings);
        self.adapts.store(size.adaptive.is_some(), Ordering::Relaxed);
        let limit = settings.most();
        size.settings = settings;
        self.resize(&mut size, limit);
    }

    /// How many calls there may be at once now.
    pub fn limit(&self) -> usize {
        self.lock().limit
    }

    /// How many places are taken.
    pub fn under_way(&self) -> usize {
        let limit = self.limit();
        let gone = self.owed.load(Ordering::Relaxed);
        (limit + gone).saturating_sub(self.room.available_permits())
    }

    /// How many wait for a place.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many were refused so far.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn resize(&self, size: &mut Size, limit: usize) {
        if limit > size.limit {
            let mut more = limit - size.limit;
            while more > 0 && self.owes() {
                more -= 1;
            }
            self.room.add_permits(more);
        } else {
            let fewer = size.limit - limit;
            let forgotten = self.room.forget_permits(fewer);
            self.owed.fetch_add(fewer - forgotten, Ordering::AcqRel);
        }
        size.limit = limit;
    }

    /// Whether a place that becomes free goes away; if so, it has.
    fn owes(&self) -> bool {
        let one_less = |owed: usize| owed.checked_sub(1);
        self.owed.load(Ordering::Relaxed) > 0
            && self
                .owed
                .fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_less)
                .is_ok()
    }

    /// A poisoned lock holds whole settings: no change under it can stop halfway.
    fn lock(&self) -> MutexGuard<'_, Size> {
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn adaptive_of(settings: &Settings) -> Option<Adaptive> {
    let adaptive = settings.adaptive.clone()?;
    settings.at_once?;
    Some(Adaptive::new(adaptive, settings.most()))
}

impl Place<'_> {
    /// Gives it back, and says how long it was needed for: an adaptive limit follows.
    pub fn leave(self, began: Duration, now: Duration, failed: bool) {
        let bulkhead = self.bulkhead;
        if !bulkhead.adapts.load(Ordering::Relaxed) {
            return;
        }
        let mut size = bulkhead.lock();
        let gone = bulkhead.owed.load(Ordering::Relaxed);
        let under_way = (size.limit + gone).saturating_sub(bulkhead.room.available_permits());
        let limit = size
            .adaptive
            .as_mut()
            .map(|adaptive| adaptive.observe(began, now, failed, under_way));
        if let Some(limit) = limit.filter(|limit| *limit != size.limit) {
            bulkhead.resize(&mut size, limit);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take()
            && self.bulkhead.owes()
        {
            permit.forget();
        }
    }
}

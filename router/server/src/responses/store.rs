//! What is kept, in so many bytes, and the ledger that says what must not be given out any more.
//!
//! Time in the ledger is the number of drops so far. An answer remembers how many there were when it was asked for, and a
//! tag how many when it was dropped last: so an answer that was under way while its tag was dropped is never kept, and
//! dropping takes no look at the answers that do not have the tag.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hashbrown::DefaultHashBuilder;
use moka::Expiry;
use moka::notification::RemovalCause;
use moka::sync::Cache;

use super::key::Key;
use super::tags::Tag;

/// What an entry takes besides its body and tags.
const ENTRY_BYTES: usize = 256;
/// Tags that are remembered as dropped, and callers as having changed something; if there are more, all is dropped.
const REMEMBERED: usize = 100_000;

/// A moment: what the clock says, and how many drops there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The clock.
    pub at: Instant,
    /// Drops so far.
    pub drops: u64,
}

/// Something kept under a key.
#[derive(Debug)]
pub enum Kept {
    /// An answer, or an entity of one.
    Answer(Answer),
    /// What is asked under this key is each caller's own.
    EachTheirOwn(Moment),
    /// What is asked under this key is not kept.
    Never(Moment),
}

/// An answer, or an entity of one.
#[derive(Debug)]
pub struct Answer {
    /// Its JSON.
    pub body: Bytes,
    /// When it was asked for.
    pub asked: Moment,
    /// How long from then it is fresh.
    pub fresh: Duration,
    /// How long after that it may be used if nothing better can be had.
    pub stale: Duration,
    /// Whether it is one caller's own.
    pub own: bool,
    /// How old it was when it came.
    pub age: Duration,
    /// Under which names it is dropped.
    pub tags: Box<[Tag]>,
}

/// How long what is no answer is remembered.
pub const MARK: Duration = Duration::from_secs(30);

impl Kept {
    /// When it was asked for.
    pub fn asked(&self) -> Moment {
        match self {
            Kept::Answer(answer) => answer.asked,
            Kept::EachTheirOwn(asked) | Kept::Never(asked) => *asked,
        }
    }

    /// When it is of no use to anyone, from when it was asked for.
    pub fn lifetime(&self) -> Duration {
        match self {
            Kept::Answer(answer) => answer.fresh + answer.stale,
            Kept::EachTheirOwn(_) | Kept::Never(_) => MARK,
        }
    }

    /// An answer that took longer must not take the place of one that was asked for later.
    fn is_asked_after(&self, answer: &Answer) -> bool {
        matches!(self, Kept::Answer(kept) if kept.asked.at > answer.asked.at)
    }

    fn bytes(&self) -> usize {
        match self {
            Kept::Answer(answer) => {
                answer.body.len() + answer.tags.iter().map(|tag| 2 * tag.bytes()).sum::<usize>() + ENTRY_BYTES
            }
            Kept::EachTheirOwn(_) | Kept::Never(_) => ENTRY_BYTES,
        }
    }

    /// Under which names it is dropped.
    pub fn tags(&self) -> &[Tag] {
        match self {
            Kept::Answer(answer) => &answer.tags,
            Kept::EachTheirOwn(_) | Kept::Never(_) => &[],
        }
    }
}

impl Answer {
    /// Whether it is fresh.
    pub fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.asked.at) < self.fresh
    }

    /// Whether it may be used where nothing better can be had.
    pub fn is_of_use(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.asked.at) < self.fresh + self.stale
    }
}

/// Keeps answers.
pub struct Store {
    kept: Cache<Key, Arc<Entry>, DefaultHashBuilder>,
    ledger: Mutex<Ledger>,
    drops: AtomicU64,
    /// Answers asked for before so many drops are not given out.
    floor: AtomicU64,
    /// Callers that are remembered as having changed something.
    changes: AtomicUsize,
    numbers: AtomicU64,
    gone: Arc<Gone>,
    evicted: Arc<AtomicU64>,
    /// The longest that anything is kept.
    longest: Duration,
    /// Tags and callers that are remembered.
    remembered: usize,
}

/// Entries that went, still in the index.
type Gone = Mutex<Vec<(Key, Arc<Entry>)>>;

struct Entry {
    number: u64,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Ledger {
    /// Entries by tag: key, and the number of the entry under it.
    index: HashMap<Tag, HashMap<Key, u64>>,
    /// Tags dropped, and when.
    dropped: HashMap<Tag, Moment>,
    /// Callers that changed something in a subgraph, and when.
    changed: HashMap<(Key, Box<str>), Moment>,
}

struct Lifetimes;

impl Expiry<Key, Arc<Entry>> for Lifetimes {
    fn expire_after_create(&self, _: &Key, entry: &Arc<Entry>, _: Instant) -> Option<Duration> {
        Some(entry.kept.lifetime())
    }

    fn expire_after_update(
        &self,
        _: &Key,
        entry: &Arc<Entry>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.kept.lifetime())
    }
}

impl Store {
    /// Room for so many bytes. `longest`: the longest that anything is kept.
    pub fn new(bytes: u64, longest: Duration) -> Store {
        Store::counting(bytes, longest, Arc::default())
    }

    /// An empty one like this, which counts on.
    pub fn anew(&self) -> Store {
        let bytes = self.kept.policy().max_capacity().unwrap_or_default();
        Store::counting(bytes, self.longest, Arc::clone(&self.evicted))
    }

    fn counting(bytes: u64, longest: Duration, evicted: Arc<AtomicU64>) -> Store {
        let gone: Arc<Gone> = Arc::default();
        let (leaving, counted) = (Arc::clone(&gone), Arc::clone(&evicted));
        // It may be called with the ledger locked: it must not lock it.
        let listener = move |key: Arc<Key>, entry: Arc<Entry>, cause: RemovalCause| {
            if cause == RemovalCause::Size {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            if !entry.kept.tags().is_empty() {
                lock(&leaving).push((*key, entry));
            }
        };
        let kept = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_: &Key, entry: &Arc<Entry>| u32::try_from(entry.kept.bytes()).unwrap_or(u32::MAX))
            .expire_after(Lifetimes)
            .eviction_listener(listener)
            .build_with_hasher(DefaultHashBuilder::default());
        Store {
            kept,
            ledger: Mutex::default(),
            drops: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            changes: AtomicUsize::new(0),
            numbers: AtomicU64::new(0),
            gone,
            evicted,
            longest,
            remembered: REMEMBERED,
        }
    }

    /// The moment at which something is asked for.
    pub fn moment(&self, at: Instant) -> Moment {
        let drops = self.drops.load(Ordering::SeqCst);
        Moment { at, drops }
    }

    /// What is kept under a key, fresh or not.
    pub fn get(&self, key: &Key) -> Option<Arc<Kept>> {
        self.kept.get(key).map(|entry| Arc::clone(&entry.kept))
    }

    /// Keeps something; not if one of its tags was dropped since it was asked for, or if what is there was asked for
    /// later. Gives whether it did.
    pub fn put(&self, key: Key, kept: Kept) -> bool {
        let kept = Arc::new(kept);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let mut ledger = lock(&self.ledger);
        if let Kept::Answer(answer) = &*kept {
            if ledger.is_dropped(answer) || answer.asked.drops < self.floor.load(Ordering::SeqCst) {
                return false;
            }
            if self.get(&key).is_some_and(|other| other.is_asked_after(answer)) {
                return false;
            }
            for tag in &answer.tags {
                ledger.index.entry(tag.clone()).or_default().insert(key, number);
            }
        }
        // With the ledger locked: a drop in between would miss it.
        self.kept.insert(key, Arc::new(Entry { number, kept }));
        self.clear_up(&mut ledger);
        true
    }

    /// Drops what has one of these tags, and whatever is under way with one of them. Gives how many answers there were.
    pub fn drop_tags(&self, tags: &[Tag], now: Instant) -> usize {
        let mut ledger = lock(&self.ledger);
        let moment = self.next(now);
        let mut keys: HashMap<Key, ()> = HashMap::new();
        for tag in tags {
            for key in ledger.index.remove(tag).unwrap_or_default().into_keys() {
                keys.insert(key, ());
            }
            ledger.dropped.insert(tag.clone(), moment);
        }
        for key in keys.keys() {
            self.kept.invalidate(key);
        }
        self.forget(&mut ledger, now);
        self.clear_up(&mut ledger);
        keys.len()
    }

    /// Drops everything. Gives how many entries there were, about.
    pub fn drop_all(&self, now: Instant) -> usize {
        let mut ledger = lock(&self.ledger);
        let moment = self.next(now);
        self.kept.run_pending_tasks();
        let entries = self.kept.entry_count();
        self.floor.store(moment.drops, Ordering::SeqCst);
        ledger.dropped.clear();
        ledger.index.clear();
        self.kept.invalidate_all();
        self.clear_up(&mut ledger);
        usize::try_from(entries).unwrap_or(usize::MAX)
    }

    /// Gives out nothing, and keeps no answer, from now on.
    pub fn retire(&self) {
        let mut ledger = lock(&self.ledger);
        self.floor.store(u64::MAX, Ordering::SeqCst);
        ledger.index.clear();
        self.kept.invalidate_all();
    }

    /// A caller has changed something in a subgraph: what was asked for before is not for this caller any more.
    pub fn changed(&self, caller: Key, subgraph: &str, now: Instant) {
        let mut ledger = lock(&self.ledger);
        let moment = self.next(now);
        ledger.changed.insert((caller, subgraph.into()), moment);
        self.forget(&mut ledger, now);
        self.changes.store(ledger.changed.len(), Ordering::SeqCst);
    }

    /// What a caller may be given of a subgraph was asked for after so many drops.
    pub fn fence(&self, caller: Key, subgraph: &str) -> u64 {
        let floor = self.floor.load(Ordering::SeqCst);
        if self.changes.load(Ordering::SeqCst) == 0 {
            return floor;
        }
        let ledger = lock(&self.ledger);
        let changed = ledger.changed.get(&(caller, subgraph.into()));
        changed.map_or(floor, |moment| moment.drops.max(floor))
    }

    /// Entries, their bytes, and how many had to go for want of room.
    pub fn size(&self) -> (u64, u64, u64) {
        let evicted = self.evicted.load(Ordering::Relaxed);
        (self.kept.entry_count(), self.kept.weighted_size(), evicted)
    }

    fn next(&self, at: Instant) -> Moment {
        let drops = self.drops.fetch_add(1, Ordering::SeqCst) + 1;
        Moment { at, drops }
    }

    /// What is older than anything that is kept need not be remembered; what is too much to remember drops all.
    fn forget(&self, ledger: &mut Ledger, now: Instant) {
        if ledger.dropped.len() + ledger.changed.len() <= self.remembered {
            return;
        }
        let longest = self.longest;
        let recent = |moment: &Moment| now.saturating_duration_since(moment.at) <= longest;
        ledger.dropped.retain(|_, moment| recent(moment));
        ledger.changed.retain(|_, moment| recent(moment));
        if ledger.dropped.len() + ledger.changed.len() > self.remembered / 2 {
            tracing::warn!(
                "more was dropped from the cache of answers than can be remembered: all of it is dropped"
            );
            self.floor
                .store(self.drops.load(Ordering::SeqCst), Ordering::SeqCst);
            ledger.dropped.clear();
            ledger.changed.clear();
            ledger.index.clear();
            self.kept.invalidate_all();
        }
    }

    /// Takes entries that went by themselves out of the index.
    fn clear_up(&self, ledger: &mut Ledger) {
        let gone = std::mem::take(&mut *lock(&self.gone));
        for (key, entry) in gone {
            for tag in entry.kept.tags() {
                if let Some(keys) = ledger.index.get_mut(tag) {
                    if keys.get(&key) == Some(&entry.number) {
                        keys.remove(&key);
                    }
                    if keys.is_empty() {
                        ledger.index.remove(tag);
                    }
                }
            }
        }
    }
}

impl Ledger {
    fn is_dropped(&self, answer: &Answer) -> bool {
        let since = |moment: &Moment| moment.drops > answer.asked.drops;
        answer
            .tags
            .iter()
            .any(|tag| self.dropped.get(tag).is_some_and(since))
    }
}

/// A poisoned lock holds whole maps: no change under it can stop halfway where that matters.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

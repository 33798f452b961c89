//! What every store in memory has: a disk that outlives its host, an inbox, an outbox with its lease, a clock, ids.
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use baedal_kit::clock::{Clock, Ids};
use baedal_kit::consumer::{After, DeadLetters, Kept, LettersError};
use baedal_kit::envelope::Envelope;
use baedal_kit::failpoint;
use baedal_kit::outbox::{Depth, OutboxError, OutboxRow, OutboxSource};
use tokio::sync::Notify;
use uuid::Uuid;

use super::lock;

/// When the simulation begins, in ms since 1970.
const EPOCH: i64 = 1_800_000_000_000;

/// The simulation's time.
#[derive(Debug, Clone, Copy)]
pub struct SimClock;

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        let elapsed = turmoil::sim_elapsed().unwrap_or_default();
        EPOCH + i64::try_from(elapsed.as_millis()).unwrap_or(0)
    }
}

/// Ids that count, and are not given again after a crash.
#[derive(Debug, Clone)]
pub struct SimIds {
    seed: u64,
    next: Arc<AtomicU64>,
}

impl SimIds {
    /// Ids of a run.
    pub fn new(seed: u64) -> SimIds {
        SimIds {
            seed,
            next: Arc::default(),
        }
    }
}

impl Ids for SimIds {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(self.seed, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// Inbox and outbox of a service.
#[derive(Debug, Default)]
pub struct Mail {
    seen: BTreeSet<Uuid>,
    waiting: BTreeMap<u64, OutboxRow>,
    written: u64,
    lease: Option<(String, i64)>,
}

impl Mail {
    /// Those of the events that had their effect before.
    pub fn seen(&self, ids: &[Uuid]) -> HashSet<Uuid> {
        if failpoint::sabotaged("inbox") {
            return HashSet::new();
        }
        ids.iter().filter(|id| self.seen.contains(id)).copied().collect()
    }

    /// These have their effect now.
    pub fn remember(&mut self, ids: &[Uuid]) {
        self.seen.extend(ids);
    }

    /// Puts events in the outbox.
    pub fn put(&mut self, topic: &str, events: &[Envelope]) {
        for event in events {
            self.written += 1;
            let row = OutboxRow {
                id: self.written.to_string(),
                topic: topic.to_owned(),
                key: event.key().to_owned(),
                payload: event.to_json(),
            };
            self.waiting.insert(self.written, row);
        }
    }

    /// How many events wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// What a service's data has.
pub trait Data: Send + Default + 'static {
    /// Its inbox and outbox.
    fn mail(&mut self) -> &mut Mail;
}

/// A service's data: it outlives the service's crashes. A change is made in one go, as by a transaction.
#[derive(Debug, Default)]
pub struct Disk<D> {
    data: Arc<Mutex<D>>,
    notify: Arc<Notify>,
}

impl<D> Clone for Disk<D> {
    fn clone(&self) -> Disk<D> {
        Disk {
            data: self.data.clone(),
            notify: self.notify.clone(),
        }
    }
}

impl<D: Data> Disk<D> {
    /// Reads, which takes a moment.
    pub async fn read<T>(&self, read: impl FnOnce(&mut D) -> T) -> T {
        a_moment().await;
        self.look(read)
    }

    /// Commits: a moment before, in which the service may die without a trace, and one after, in which it may die with
    /// nobody told.
    pub async fn commit<T>(&self, change: impl FnOnce(&mut D) -> T) -> T {
        a_moment().await;
        let outcome = self.look(change);
        self.notify.notify_one();
        a_moment().await;
        outcome
    }

    /// Looks at once.
    pub fn look<T>(&self, look: impl FnOnce(&mut D) -> T) -> T {
        look(&mut lock(&self.data))
    }

    /// Woken by commits.
    pub fn notify(&self) -> Arc<Notify> {
        self.notify.clone()
    }

    /// For the relay.
    pub fn outbox(&self) -> Arc<dyn OutboxSource> {
        Arc::new(Outbox(self.clone()))
    }
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

struct Outbox<D>(Disk<D>);

#[async_trait]
impl<D: Data> OutboxSource for Outbox<D> {
    async fn lease(&self, owner: &str, ttl: Duration) -> Result<bool, OutboxError> {
        let (now, ttl) = (SimClock.now_ms(), i64::try_from(ttl.as_millis()).unwrap_or(0));
        let take = |data: &mut D| {
            let lease = &mut data.mail().lease;
            let free = lease
                .as_ref()
                .is_none_or(|(holder, until)| holder == owner || *until < now);
            if free {
                *lease = Some((owner.to_owned(), now + ttl));
            }
            free
        };
        Ok(self.0.read(take).await)
    }

    async fn release(&self, owner: &str) -> Result<(), OutboxError> {
        self.0
            .read(|data| {
                let lease = &mut data.mail().lease;
                if lease.as_ref().is_some_and(|(holder, _)| holder == owner) {
                    *lease = None;
                }
            })
            .await;
        Ok(())
    }

    async fn pending(&self, limit: usize) -> Result<Vec<OutboxRow>, OutboxError> {
        Ok(self
            .0
            .read(|data| data.mail().waiting.values().take(limit).cloned().collect())
            .await)
    }

    async fn mark_sent(&self, ids: &[String]) -> Result<(), OutboxError> {
        let remove = |data: &mut D| {
            let numbers = ids.iter().filter_map(|id| id.parse::<u64>().ok());
            for number in numbers {
                data.mail().waiting.remove(&number);
            }
        };
        self.0.read(remove).await;
        Ok(())
    }

    async fn depth(&self) -> Result<Depth, OutboxError> {
        let rows = self.0.look(|data| data.mail().waiting.len());
        Ok(Depth {
            rows: rows as u64,
            oldest_ms: None,
        })
    }
}

/// Every event can be applied here: a dead letter would be a fault of the platform.
pub struct NoLetters;

#[async_trait]
impl DeadLetters for NoLetters {
    async fn keep(&self, letter: &Kept) -> Result<(), LettersError> {
        Err(LettersError(anyhow::anyhow!(
            "nothing is unreadable here: {letter:?}"
        )))
    }

    async fn page(&self, _: Option<After<'_>>, _: usize) -> Result<Vec<Kept>, LettersError> {
        Ok(Vec::new())
    }

    async fn due(&self, _: usize) -> Result<Vec<Kept>, LettersError> {
        Ok(Vec::new())
    }

    async fn find(&self, _: &[String]) -> Result<Vec<Kept>, LettersError> {
        Ok(Vec::new())
    }

    async fn refused(&self, _: &str, _: &str) -> Result<(), LettersError> {
        Ok(())
    }

    async fn remove(&self, _: &[String]) -> Result<u64, LettersError> {
        Ok(0)
    }

    async fn count(&self) -> Result<u64, LettersError> {
        Ok(0)
    }
}

//! Forgetting in time: what the inbox remembers of events that cannot come again, and records of the embedded log that
//! every group has read.
//!
//! An event can come again as long as the log keeps it, and a little longer: a service that was down does not forget
//! before it has read what it missed, since the first pass comes [`EVERY`] after its start. Kafka's brokers forget by
//! themselves. Rows of the outbox go as soon as the log has their event; there is nothing to prune in it.

use crate::{Worker, log::EventLog};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often it is looked for what can be forgotten, and when first.
pub const EVERY: Duration = Duration::from_secs(10 * 60);
/// Most that is forgotten by one statement.
pub const BATCH: usize = 1_000;
/// A pause between two statements leaves the store to others.
const PAUSE: Duration = Duration::from_millis(20);
const HOUR: u64 = 3_600;

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// What the inbox remembers; at least as long as the event log keeps events.
    pub inbox: Duration,
    /// Records of the embedded log, once every group has read them.
    pub events: Duration,
}

/// The inbox would forget an event that can come again.
#[derive(Debug, thiserror::Error)]
#[error(
    "the inbox must remember events for longer than the event log keeps them: INBOX_RETENTION_HOURS ({inbox}) must be \
     at least EVENTS_RETENTION_HOURS ({events}), and on Kafka its log.retention.hours"
)]
pub struct ForgetsTooSoon {
    inbox: u64,
    events: u64,
}

impl Default for Retention {
    /// Seven days of events, as Kafka's default, and an inbox of fourteen.
    fn default() -> Retention {
        Retention {
            inbox: Duration::from_secs(14 * 24 * HOUR),
            events: Duration::from_secs(7 * 24 * HOUR),
        }
    }
}

impl Retention {
    /// These hours.
    ///
    /// # Errors
    /// The inbox's are fewer than the events'.
    pub fn hours(inbox: u64, events: u64) -> Result<Retention, ForgetsTooSoon> {
        if inbox < events {
            return Err(ForgetsTooSoon { inbox, events });
        }
        Ok(Retention {
            inbox: Duration::from_secs(inbox.saturating_mul(HOUR)),
            events: Duration::from_secs(events.saturating_mul(HOUR)),
        })
    }
}

/// The inbox of a store, as far as it can forget.
#[async_trait]
pub trait SeenEvents: Send + Sync {
    /// Forgets events seen longer ago than this, oldest first, at most so many; how many there were.
    async fn forget(&self, age: Duration, most: usize) -> anyhow::Result<u64>;
}

/// What one pass has forgotten.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// Rows of the inbox.
    pub inbox: u64,
    /// Records of the event log.
    pub events: u64,
}

/// What is pruned, and by which rule.
#[derive(Clone)]
pub struct Pruner {
    /// The service's inbox.
    pub inbox: Arc<dyn SeenEvents>,
    /// The event log.
    pub log: Arc<dyn EventLog>,
    /// How long things are kept.
    pub retention: Retention,
}

impl Pruner {
    /// Prunes now and then until `shutdown` is cancelled. Several replicas may do so at once.
    pub fn spawn(self, every: Duration, shutdown: CancellationToken) -> Worker {
        Worker::spawn("pruner", self.run(every, shutdown))
    }

    async fn run(self, every: Duration, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            let pass = tokio::select! {
                () = shutdown.cancelled() => return,
                pass = self.pass() => pass,
            };
            match pass {
                Ok(forgotten) if forgotten == Forgotten::default() => {}
                Ok(Forgotten { inbox, events }) => {
                    tracing::info!(inbox, events, "forgot what cannot come again")
                }
                Err(error) => tracing::warn!(error = format!("{error:#}"), "pruning failed, it comes again"),
            }
        }
    }

    /// Forgets all there is to forget, a batch at a time.
    ///
    /// # Errors
    /// The store or the log does not answer.
    pub async fn pass(&self) -> anyhow::Result<Forgotten> {
        let mut forgotten = Forgotten::default();
        loop {
            let inbox = self.inbox.forget(self.retention.inbox, BATCH).await?;
            let events = self.log.prune(self.retention.events, BATCH).await?;
            forgotten.inbox += inbox;
            forgotten.events += events;
            if inbox.max(events) < BATCH as u64 {
                return Ok(forgotten);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

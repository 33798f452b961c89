//! The consumer loop: reads events in batches and has each take effect once.
//!
//! poll → decode → one transaction of the handler (inbox rows and effects) → commit of the position. A failure that may
//! pass is waited out without losing the position; a record nobody can read or apply goes to `<topic>.dead` with the
//! reason, is kept in the service's store, from where operators have it tried again, and the loop goes on.

mod attempt;
mod dead;
pub mod redrive;
mod run;
mod told;

use crate::{
    Worker, envelope::Envelope, log::EventLog, mongo::MongoError, sql::SqlError, telemetry::Telemetry,
};
use async_trait::async_trait;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio_util::sync::CancellationToken;

pub use dead::{After, DeadLetter, DeadLetters, Kept, LettersError};
use redrive::Redrive;

/// Most events handed to a handler at once.
pub const BATCH: usize = 200;

/// What a service does with events.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Newest major version of this event type it understands; none where the type is not its business.
    fn version_of(&self, event_type: &str) -> Option<u32> {
        let _ = event_type;
        Some(1)
    }

    /// Applies the batch in one transaction: inbox rows and effects, all or nothing. No event is twice in a batch, but
    /// it may be called again with events it has applied already, also in other batches.
    async fn handle(&self, batch: &[Envelope]) -> Result<(), HandleError>;
}

/// Why a batch was not applied.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// It may work later; the same batch comes again, after a growing pause.
    #[error(transparent)]
    Transient(anyhow::Error),
    /// It will never work. A batch of one becomes a dead letter, a larger one comes again one by one.
    #[error("{0}")]
    Poison(String),
}

impl From<SqlError> for HandleError {
    fn from(error: SqlError) -> HandleError {
        HandleError::Transient(error.into())
    }
}

impl From<MongoError> for HandleError {
    fn from(error: MongoError) -> HandleError {
        HandleError::Transient(error.into())
    }
}

impl crate::retry::Transient for HandleError {
    /// The loop itself retries the batch, and longer than a transaction would.
    fn is_transient(&self) -> bool {
        match self {
            HandleError::Transient(error) => {
                error
                    .downcast_ref::<SqlError>()
                    .is_some_and(crate::retry::Transient::is_transient)
                    || error
                        .downcast_ref::<MongoError>()
                        .is_some_and(crate::retry::Transient::is_transient)
            }
            HandleError::Poison(_) => false,
        }
    }
}

/// Counts of a consumer since it started.
#[derive(Debug, Default)]
pub struct ConsumerStats {
    /// Events a handler has applied (or recognised as applied before).
    pub handled: AtomicU64,
    /// Events of types that are not the handler's business.
    pub skipped: AtomicU64,
    /// Events that were twice in one batch, and handed on once.
    pub repeated: AtomicU64,
    /// Records sent to the dead-letter topic.
    pub dead: AtomicU64,
    /// Batches tried again.
    pub retries: AtomicU64,
}

impl ConsumerStats {
    fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}

/// A running consumer.
pub struct ConsumerHandle {
    stats: Arc<ConsumerStats>,
    redrive: Arc<Redrive>,
    /// Its task.
    pub worker: Worker,
}

impl ConsumerHandle {
    /// What it has counted so far.
    pub fn stats(&self) -> Arc<ConsumerStats> {
        Arc::clone(&self.stats)
    }

    /// What can try its dead letters again.
    pub fn redrive(&self) -> Arc<Redrive> {
        Arc::clone(&self.redrive)
    }
}

/// Starts a member of `group` that hands the events of `topics` to `handler`, until `shutdown` is cancelled. What can
/// never be applied goes to `letters`.
///
/// The batch at hand is finished first; the group goes on elsewhere, or later, exactly after it.
pub fn spawn_consumer(
    log: Arc<dyn EventLog>,
    group: &str,
    topics: &[&str],
    handler: Arc<dyn Handler>,
    letters: Arc<dyn DeadLetters>,
    shutdown: CancellationToken,
) -> ConsumerHandle {
    let telemetry = &Telemetry::unread();
    spawn_consumer_watched(log, group, topics, handler, letters, Life { shutdown, telemetry })
}

/// How long a consumer lives, and who is told how it is.
pub struct Life<'a> {
    /// Its end, when it is cancelled.
    pub shutdown: CancellationToken,
    /// Who is told.
    pub telemetry: &'a Telemetry,
}

/// [`spawn_consumer`] of a service that tells how its consumer is.
pub fn spawn_consumer_watched(
    log: Arc<dyn EventLog>,
    group: &str,
    topics: &[&str],
    handler: Arc<dyn Handler>,
    letters: Arc<dyn DeadLetters>,
    life: Life<'_>,
) -> ConsumerHandle {
    let Life { shutdown, telemetry } = life;
    let stats = Arc::<ConsumerStats>::default();
    let redrive = Arc::new(Redrive::new(Arc::clone(&handler), Arc::clone(&letters)));
    let told = told::Told::new(telemetry, &log, group, topics, &stats);
    let consumer = run::Loop {
        log,
        group: group.to_owned(),
        topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        handler,
        letters,
        stats: Arc::clone(&stats),
        told,
        shutdown,
    };
    ConsumerHandle {
        stats,
        redrive,
        worker: Worker::spawn(format!("consumer {group}"), consumer.run()),
    }
}

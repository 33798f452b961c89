//! The operator's view of a service's plumbing: what waits to be published, what was read, what was given up.

mod letters;

pub use letters::{LetterNode, RedriveNode, RefusedNode, dead_letters, discard, redrive};

use crate::{
    clock::{Clock, SystemClock},
    consumer::{ConsumerHandle, ConsumerStats, DeadLetters, redrive::Redrive},
    error::coded,
    outbox::OutboxSource,
};
use async_graphql::{Context, Error, SimpleObject};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

/// What a service's plumbing is doing. Counts of events and batches are those of the process that answers, since it
/// started.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
#[graphql(shareable)]
pub struct ServiceOperations {
    /// Which service.
    pub service: String,
    /// Events that are written and not yet published.
    pub outbox_waiting: u64,
    /// Seconds the oldest of them has waited.
    pub outbox_oldest_seconds: Option<i64>,
    /// Events applied.
    pub events_handled: u64,
    /// Batches tried again.
    pub batches_retried: u64,
    /// Records given up and not yet applied or discarded.
    pub dead_letters: u64,
}

/// Where the view looks.
pub struct Ops {
    service: &'static str,
    outbox: Arc<dyn OutboxSource>,
    letters: Arc<dyn DeadLetters>,
    consumer: OnceLock<(Arc<ConsumerStats>, Arc<Redrive>)>,
}

impl Ops {
    /// The view of a service that publishes from this outbox and keeps its dead letters there.
    pub fn new(
        service: &'static str,
        outbox: Arc<dyn OutboxSource>,
        letters: Arc<dyn DeadLetters>,
    ) -> Arc<Ops> {
        Arc::new(Ops {
            service,
            outbox,
            letters,
            consumer: OnceLock::new(),
        })
    }

    /// Counts of this consumer are shown and its dead letters can be tried again, from the first call on.
    pub fn watch(&self, consumer: &ConsumerHandle) {
        // A second consumer of a service would be a mistake of its wiring; the first one stays.
        let _ = self.consumer.set((consumer.stats(), consumer.redrive()));
    }

    /// The view at this moment.
    ///
    /// # Errors
    /// `UNAVAILABLE`: the store does not answer.
    pub async fn look(&self) -> Result<ServiceOperations, Error> {
        let depth = self.outbox.depth().await.map_err(unavailable)?;
        let count = |of: fn(&ConsumerStats) -> &AtomicU64| {
            self.consumer
                .get()
                .map_or(0, |(stats, _)| of(stats).load(Ordering::Relaxed))
        };
        Ok(ServiceOperations {
            service: self.service.to_owned(),
            outbox_waiting: depth.rows,
            outbox_oldest_seconds: depth
                .oldest_ms
                .map(|oldest| (SystemClock.now_ms() - oldest).max(0) / 1000),
            events_handled: count(|stats| &stats.handled),
            batches_retried: count(|stats| &stats.retries),
            dead_letters: self.letters.count().await.map_err(unavailable)?,
        })
    }
}

/// The view of the service that serves this request.
///
/// # Errors
/// See [`Ops::look`].
pub async fn operations(ctx: &Context<'_>) -> Result<ServiceOperations, Error> {
    ops(ctx)?.look().await
}

fn ops<'a>(ctx: &Context<'a>) -> Result<&'a Ops, Error> {
    ctx.data_opt::<Arc<Ops>>()
        .map(Arc::as_ref)
        .ok_or_else(|| coded("UNAVAILABLE", "this process has no outbox to look at"))
}

fn unavailable(cause: impl std::fmt::Display) -> Error {
    tracing::error!(%cause, "the operator's view cannot look");
    coded(
        "UNAVAILABLE",
        "the service's store does not answer at the moment, try again",
    )
}

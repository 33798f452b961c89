//! The operator's view of a service's plumbing: what waits to be published, what was read, what was given up.

use crate::{
    clock::{Clock, SystemClock},
    consumer::{ConsumerHandle, ConsumerStats},
    error::coded,
    outbox::OutboxSource,
};
use async_graphql::{Context, Error, SimpleObject};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

/// What a service's plumbing is doing. Counts are those of the process that answers, since it started.
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
    /// Records given up and kept in the dead-letter topic.
    pub dead_letters: u64,
}

/// Where the view looks.
pub struct Ops {
    service: &'static str,
    outbox: Arc<dyn OutboxSource>,
    consumer: OnceLock<Arc<ConsumerStats>>,
}

impl Ops {
    /// The view of a service that publishes from this outbox.
    pub fn new(service: &'static str, outbox: Arc<dyn OutboxSource>) -> Arc<Ops> {
        Arc::new(Ops {
            service,
            outbox,
            consumer: OnceLock::new(),
        })
    }

    /// Counts of this consumer are shown, from the first call on.
    pub fn watch(&self, consumer: &ConsumerHandle) {
        let _ = self.consumer.set(consumer.stats());
    }

    /// The view at this moment.
    ///
    /// # Errors
    /// `UNAVAILABLE`: the store does not answer.
    pub async fn look(&self) -> Result<ServiceOperations, Error> {
        let depth = self.outbox.depth().await.map_err(|error| {
            tracing::error!(%error, "the outbox cannot be looked at");
            coded(
                "UNAVAILABLE",
                "the service's store does not answer at the moment, try again",
            )
        })?;
        let count = |of: fn(&ConsumerStats) -> &AtomicU64| {
            self.consumer
                .get()
                .map_or(0, |stats| of(stats).load(Ordering::Relaxed))
        };
        Ok(ServiceOperations {
            service: self.service.to_owned(),
            outbox_waiting: depth.rows,
            outbox_oldest_seconds: depth
                .oldest_ms
                .map(|oldest| (SystemClock.now_ms() - oldest).max(0) / 1000),
            events_handled: count(|stats| &stats.handled),
            batches_retried: count(|stats| &stats.retries),
            dead_letters: count(|stats| &stats.dead),
        })
    }
}

/// The view of the service that serves this request.
///
/// # Errors
/// See [`Ops::look`].
pub async fn operations(ctx: &Context<'_>) -> Result<ServiceOperations, Error> {
    match ctx.data_opt::<Arc<Ops>>() {
        Some(ops) => ops.look().await,
        None => Err(coded("UNAVAILABLE", "this process has no outbox to look at")),
    }
}

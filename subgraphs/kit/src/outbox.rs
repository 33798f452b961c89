//! The outbox relay: hands events from a store's outbox to the event log.
//!
//! Events are written to the outbox in the transaction of the state they tell of, so neither can be without the other.
//! The relay of one replica, the holder of the lease, publishes them in order and removes them once the log has them.
//! It never loses one; after a crash it may publish one again, which the readers' inbox makes harmless. A relay that
//! slept through the loss of its lease can only repeat what its successor publishes too: first occurrences stay in order.

use crate::{
    Worker,
    clock::{Clock, SystemClock},
    failpoint,
    log::{EventLog, LogError, Record},
    next,
    retry::Backoff,
    telemetry::{Telemetry, metrics},
};
use async_trait::async_trait;
use baedal_telemetry::vitals::Pulse;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a lease holds without being renewed: what a crash of the holder costs its successor.
pub const LEASE: Duration = Duration::from_secs(2);
/// How often the outbox is looked at without being woken (another process may have written).
pub const POLL: Duration = Duration::from_millis(100);
/// How long the log may take for a batch before that is worth a warning.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows published at once.
pub const BATCH: usize = 500;

/// One event waiting in an outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// How the store finds it again.
    pub id: String,
    /// Where it goes.
    pub topic: String,
    /// What it is ordered by.
    pub key: String,
    /// The envelope as JSON.
    pub payload: String,
}

/// What waits in an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// How many events.
    pub rows: u64,
    /// When the oldest was written, in milliseconds since 1970.
    pub oldest_ms: Option<i64>,
}

/// The store did not answer as it should.
#[derive(Debug, thiserror::Error)]
#[error("outbox: {0}")]
pub struct OutboxError(#[source] pub anyhow::Error);

/// The outbox of a store.
#[async_trait]
pub trait OutboxSource: Send + Sync {
    /// Takes or renews the right to publish, by the store's clock; false while another owner holds it.
    async fn lease(&self, owner: &str, ttl: Duration) -> Result<bool, OutboxError>;
    /// Gives the right up, so that another takes it at once.
    async fn release(&self, owner: &str) -> Result<(), OutboxError>;
    /// The oldest events, in the order they must be published.
    async fn pending(&self, limit: usize) -> Result<Vec<OutboxRow>, OutboxError>;
    /// Removes events the log has.
    async fn mark_sent(&self, ids: &[String]) -> Result<(), OutboxError>;
    /// What waits, for operators.
    async fn depth(&self) -> Result<Depth, OutboxError>;
}

/// Counts of a relay since it started.
#[derive(Debug, Default)]
pub struct RelayStats {
    /// Events the log has taken.
    pub published: AtomicU64,
    /// Attempts that failed and were repeated.
    pub failures: AtomicU64,
}

/// Starts the relay of one replica. It ends when `shutdown` is cancelled, after a last try to empty the outbox.
pub fn spawn_relay(
    source: Arc<dyn OutboxSource>,
    log: Arc<dyn EventLog>,
    notify: Arc<Notify>,
    shutdown: CancellationToken,
) -> Worker {
    spawn_relay_watched(source, log, notify, shutdown, &Telemetry::unread())
}

/// [`spawn_relay`] of a service that tells how its relay and its outbox are.
pub fn spawn_relay_watched(
    source: Arc<dyn OutboxSource>,
    log: Arc<dyn EventLog>,
    notify: Arc<Notify>,
    shutdown: CancellationToken,
    telemetry: &Telemetry,
) -> Worker {
    let stats = Arc::<RelayStats>::default();
    tell(telemetry, &source, &stats);
    let owner = Uuid::now_v7().to_string();
    let relay = Relay {
        source,
        log,
        owner,
        held_until: None,
        stats,
        pulse: telemetry.pulse("the outbox relay"),
    };
    Worker::spawn("outbox relay", relay.run(notify, shutdown))
}

fn tell(telemetry: &Telemetry, source: &Arc<dyn OutboxSource>, stats: &Arc<RelayStats>) {
    let registry = telemetry.registry();
    let counted = [
        (
            &metrics::OUTBOX_PUBLISHED,
            published as fn(&RelayStats) -> &AtomicU64,
        ),
        (&metrics::OUTBOX_FAILURES, failures),
    ];
    for (metric, of) in counted {
        let stats = Arc::clone(stats);
        registry.read(metric, move |out| {
            out.value(&[], of(&stats).load(Ordering::Relaxed) as f64);
        });
    }
    let (waiting, oldest) = (
        registry.gauge(&metrics::OUTBOX_WAITING),
        registry.gauge(&metrics::OUTBOX_OLDEST),
    );
    let source = Arc::clone(source);
    telemetry.on_read(move || {
        let (source, waiting, oldest) = (Arc::clone(&source), waiting.clone(), oldest.clone());
        async move {
            let depth = source.depth().await;
            // A store that does not answer says nothing of its outbox, and the page must not either.
            waiting.set(depth.as_ref().map_or(f64::NAN, |depth| depth.rows as f64));
            oldest.set(depth.map_or(f64::NAN, |depth| age(depth.oldest_ms, SystemClock.now_ms())));
        }
    });
}

fn published(stats: &RelayStats) -> &AtomicU64 {
    &stats.published
}

fn failures(stats: &RelayStats) -> &AtomicU64 {
    &stats.failures
}

/// Seconds since then; 0 where there is no then.
fn age(then_ms: Option<i64>, now_ms: i64) -> f64 {
    then_ms.map_or(0.0, |then| (now_ms - then).max(0) as f64 / 1000.0)
}

struct Relay {
    source: Arc<dyn OutboxSource>,
    log: Arc<dyn EventLog>,
    owner: String,
    /// The lease is ours until then, reckoned from before it was asked for.
    held_until: Option<Instant>,
    stats: Arc<RelayStats>,
    pulse: Pulse,
}

#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Relay {
    async fn run(mut self, notify: Arc<Notify>, shutdown: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
        let mut pause = Duration::ZERO;
        loop {
            self.pulse.beat();
            // In this order, so that a simulation takes the same turn each time.
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                () = notify.notified(), if pause <= POLL => {}
                () = tokio::time::sleep(pause) => {}
            }
            let pass = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                pass = self.drain() => pass,
            };
            pause = match pass {
                Ok(()) => {
                    backoff.reset();
                    POLL
                }
                Err(error) => {
                    self.stats.failures.fetch_add(1, Ordering::Relaxed);
                    let pause = backoff.pause();
                    tracing::warn!(%error, ?pause, "outbox relay will try again");
                    pause
                }
            };
        }
        self.leave().await;
    }

    /// Publishes until the outbox is empty, as long as the lease is ours.
    async fn drain(&mut self) -> Result<(), RelayError> {
        while self.hold().await? {
            self.pulse.beat();
            let rows = self.source.pending(BATCH).await?;
            let count = rows.len();
            for (topic, rows) in by_topic(rows) {
                self.publish(&topic, rows).await?;
            }
            if count < BATCH {
                break;
            }
        }
        Ok(())
    }

    async fn publish(&self, topic: &str, rows: Vec<OutboxRow>) -> Result<(), RelayError> {
        let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        let records = rows
            .into_iter()
            .map(|row| Record {
                key: row.key,
                payload: row.payload.into_bytes(),
            })
            .collect();
        if failpoint::sabotaged("outbox") {
            self.source.mark_sent(&ids).await?;
        }
        failpoint::hit("relay.before_send");
        self.patiently(topic, self.log.publish(topic, next::events(records)))
            .await?;
        self.stats
            .published
            .fetch_add(ids.len() as u64, Ordering::Relaxed);
        failpoint::hit("relay.after_send");
        self.source.mark_sent(&ids).await?;
        failpoint::hit("relay.after_mark");
        Ok(())
    }

    /// A log may hold events for as long as its brokers are away: operators should hear of it.
    async fn patiently(
        &self,
        topic: &str,
        publishing: impl Future<Output = Result<(), LogError>>,
    ) -> Result<(), LogError> {
        let mut publishing = std::pin::pin!(publishing);
        let start = Instant::now();
        loop {
            match tokio::time::timeout(PATIENCE, &mut publishing).await {
                Ok(outcome) => return outcome,
                Err(_) => {
                    self.pulse.beat();
                    tracing::warn!(topic, waiting = ?start.elapsed(), "the event log takes no events");
                }
            }
        }
    }

    /// Whether the lease is ours; it is renewed when half of it is gone.
    async fn hold(&mut self) -> Result<bool, OutboxError> {
        let now = Instant::now();
        if self.held_until.is_some_and(|until| until > now + LEASE / 2) {
            return Ok(true);
        }
        self.held_until = self.source.lease(&self.owner, LEASE).await?.then(|| now + LEASE);
        Ok(self.held_until.is_some())
    }

    /// A last pass and the return of the lease, in bounded time: the store or the log may be gone already.
    async fn leave(mut self) {
        let last = async {
            self.drain().await?;
            Ok::<(), RelayError>(self.source.release(&self.owner).await?)
        };
        match tokio::time::timeout(Duration::from_secs(2), last).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "outbox relay left events for the next start"),
            Err(_) => tracing::warn!("outbox relay left events for the next start: no answer within 2 s"),
        }
    }
}

/// Rows grouped by topic, their order kept within each.
fn by_topic(rows: Vec<OutboxRow>) -> Vec<(String, Vec<OutboxRow>)> {
    let mut groups: Vec<(String, Vec<OutboxRow>)> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|(topic, _)| *topic == row.topic) {
            Some((_, group)) => group.push(row),
            None => groups.push((row.topic.clone(), vec![row])),
        }
    }
    groups
}

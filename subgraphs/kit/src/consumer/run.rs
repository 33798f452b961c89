//! The loop itself.

use super::{BATCH, ConsumerStats, DeadLetters, HandleError, Handler, attempt, dead, told::Told};
use crate::{
    clock::{Clock, SystemClock},
    envelope::Envelope,
    failpoint, hang,
    log::{Consumer, Delivered, EventLog, LogError},
    retry::Backoff,
};
use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How long a poll waits for the first record: what a shutdown waits for at most.
const WAIT: Duration = Duration::from_millis(500);

pub(super) struct Loop {
    pub log: Arc<dyn EventLog>,
    pub group: String,
    pub topics: Vec<String>,
    pub handler: Arc<dyn Handler>,
    pub letters: Arc<dyn DeadLetters>,
    pub stats: Arc<ConsumerStats>,
    pub told: Told,
    pub shutdown: CancellationToken,
}

/// The loop ends: its shutdown was asked for.
struct Stopped;

/// A record and what it says.
struct Event {
    record: Delivered,
    envelope: Envelope,
}

impl Loop {
    pub async fn run(self) {
        let mut backoff = backoff();
        while !self.shutdown.is_cancelled() {
            let error = match self.member().await {
                Ok(()) => continue,
                Err(error) => error,
            };
            self.told.pulse.beat();
            let pause = backoff.pause();
            tracing::warn!(group = self.group, %error, ?pause, "consumer lost the event log, will join again");
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One membership: from joining until shutdown or an error of the log.
    async fn member(&self) -> Result<(), LogError> {
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        let mut consumer = self.log.join(&self.group, &topics).await?;
        let outcome = self.batches(consumer.as_mut()).await;
        consumer.close().await;
        outcome
    }

    async fn batches(&self, consumer: &mut dyn Consumer) -> Result<(), LogError> {
        while !self.shutdown.is_cancelled() {
            self.told.pulse.beat();
            hang::if_asked("consumer").await;
            let records = consumer.poll(BATCH, WAIT).await?;
            if records.is_empty() {
                continue;
            }
            if failpoint::sabotaged("position") {
                consumer.commit().await?;
            }
            failpoint::hit("consumer.before_handle");
            if self.apply(records).await.is_err() {
                return Ok(());
            }
            failpoint::hit("consumer.after_handle");
            match consumer.commit().await {
                // The batch comes again to its new reader, whose inbox knows it.
                Err(LogError::Fenced) => {
                    tracing::info!(group = self.group, "partitions moved during a batch")
                }
                other => other?,
            }
        }
        Ok(())
    }

    async fn apply(&self, records: Vec<Delivered>) -> Result<(), Stopped> {
        let mut events = Vec::with_capacity(records.len());
        // A relay that repeats itself puts an event twice in one batch, where the inbox, asked once, knows neither.
        let mut ids = HashSet::with_capacity(records.len());
        for record in records {
            match attempt::read(self.handler.as_ref(), &record.payload) {
                Ok(Some(envelope)) if ids.insert(envelope.id) => events.push(Event { record, envelope }),
                Ok(Some(_)) => ConsumerStats::add(&self.stats.repeated, 1),
                Ok(None) => ConsumerStats::add(&self.stats.skipped, 1),
                Err(reason) => self.bury(&record, reason).await?,
            }
        }
        if events.is_empty() {
            return Ok(());
        }
        let mut envelopes: Vec<Envelope> = events.iter().map(|event| event.envelope.clone()).collect();
        let _spans = self.told.begin(&mut envelopes);
        match self.handle(&envelopes).await? {
            Ok(()) => Ok(()),
            Err(reason) if events.len() == 1 => self.bury(&events[0].record, reason).await,
            Err(_) => self.one_by_one(&events).await,
        }
    }

    async fn one_by_one(&self, events: &[Event]) -> Result<(), Stopped> {
        for event in events {
            if let Err(reason) = self.handle(std::slice::from_ref(&event.envelope)).await? {
                self.bury(&event.record, reason).await?;
            }
        }
        Ok(())
    }

    /// Has the batch applied, however long it takes; the inner error is the reason why it never can be.
    async fn handle(&self, batch: &[Envelope]) -> Result<Result<(), String>, Stopped> {
        let mut backoff = backoff();
        loop {
            self.told.pulse.beat();
            let start = Instant::now();
            let applying = attempt::apply(self.handler.as_ref(), batch);
            let error = match self.told.within(batch, applying).await {
                Ok(()) => {
                    ConsumerStats::add(&self.stats.handled, batch.len());
                    self.told.applied(batch, start.elapsed());
                    return Ok(Ok(()));
                }
                Err(HandleError::Poison(reason)) => return Ok(Err(reason)),
                Err(HandleError::Transient(error)) => error,
            };
            ConsumerStats::add(&self.stats.retries, 1);
            let pause = backoff.pause();
            tracing::warn!(
                group = self.group,
                error = format!("{error:#}"),
                ?pause,
                "batch will be tried again"
            );
            self.rest(pause).await?;
        }
    }

    /// Keeps the dead letter, however long it takes: the position must not pass a record that is nowhere else.
    async fn bury(&self, record: &Delivered, reason: String) -> Result<(), Stopped> {
        tracing::error!(
            group = self.group,
            topic = record.topic,
            partition = record.partition,
            offset = record.offset,
            reason,
            "dead letter"
        );
        let kept = dead::kept(&self.group, record, reason, SystemClock.now_ms());
        let mut backoff = backoff();
        while failpoint::sabotaged("dead") {
            self.rest(backoff.pause()).await?;
        }
        while let Err(error) = self.letters.keep(&kept).await {
            tracing::warn!(group = self.group, %error, "dead letter will be kept again");
            self.rest(backoff.pause()).await?;
        }
        let letter = dead::published(&kept.letter);
        while let Err(error) = self
            .log
            .publish(&dead::topic_of(&record.topic), vec![letter.clone()])
            .await
        {
            self.told.pulse.beat();
            tracing::warn!(group = self.group, %error, "dead letter will be published again");
            self.rest(backoff.pause()).await?;
        }
        ConsumerStats::add(&self.stats.dead, 1);
        Ok(())
    }

    async fn rest(&self, pause: Duration) -> Result<(), Stopped> {
        tokio::select! {
                biased;
            () = self.shutdown.cancelled() => Err(Stopped),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }
}

fn backoff() -> Backoff {
    Backoff::new(Duration::from_millis(50), Duration::from_secs(5))
}

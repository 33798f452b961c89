//! A member of a group on Kafka.

use super::{Consumer, LogError, Quiet, unavailable};
use crate::log::Delivered;
use async_trait::async_trait;
use rdkafka::{
    ClientConfig, ClientContext, Message, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance},
    error::{KafkaError, RDKafkaErrorCode},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long leaving the group may take; librdkafka can block in it.
const CLOSE: Duration = Duration::from_secs(5);

/// Counts the ends of assignments: what was polled before one must not be committed after it.
#[derive(Default)]
struct Assignments {
    ended: AtomicU64,
}

impl ClientContext for Assignments {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Quiet.error(error, reason);
    }
}

impl ConsumerContext for Assignments {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if !matches!(rebalance, Rebalance::Assign(_)) {
            self.ended.fetch_add(1, Ordering::SeqCst);
        }
    }
}

type Native = BaseConsumer<Assignments>;

pub(super) struct Reader {
    native: Arc<Native>,
    /// Next offset of each partition that was polled since the last commit.
    polled: BTreeMap<(String, i32), i64>,
    /// The assignment it was polled under.
    assignment: u64,
}

impl Reader {
    pub fn join(config: &ClientConfig, topics: &[&str]) -> Result<Reader, LogError> {
        let native: Native = config
            .create_with_context(Assignments::default())
            .map_err(unavailable)?;
        native.subscribe(topics).map_err(unavailable)?;
        Ok(Reader {
            native: Arc::new(native),
            polled: BTreeMap::new(),
            assignment: 0,
        })
    }

    fn current(&self) -> u64 {
        self.native.context().ended.load(Ordering::SeqCst)
    }
}

/// Polls on a thread that may block. Records of an assignment that ends meanwhile are dropped: they come again.
fn poll(native: &Native, max: usize, wait: Duration) -> Result<Vec<Delivered>, LogError> {
    let deadline = Instant::now() + wait;
    let mut records = Vec::new();
    let mut assignment = native.context().ended.load(Ordering::SeqCst);
    while records.len() < max {
        let left = deadline.saturating_duration_since(Instant::now());
        let pause = if records.is_empty() { left } else { Duration::ZERO };
        let message = native.poll(pause);
        let now = native.context().ended.load(Ordering::SeqCst);
        if now != assignment {
            records.clear();
            assignment = now;
        }
        match message {
            Some(Ok(message)) => records.push(delivered(&message)),
            Some(Err(error)) if is_fatal(&error) => return Err(unavailable(error)),
            Some(Err(error)) => tracing::debug!(%error, "kafka"),
            None if !records.is_empty() || left.is_zero() => break,
            None => {}
        }
    }
    Ok(records)
}

/// Lost brokers, rebalances and a slow handler are overcome by polling on; the rest needs a new consumer.
fn is_fatal(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::Fatal
                | RDKafkaErrorCode::UnknownGroup
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::TopicAuthorizationFailed
        )
    )
}

fn delivered(message: &impl Message) -> Delivered {
    Delivered {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        key: String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned(),
        payload: message.payload().unwrap_or_default().to_vec(),
    }
}

fn commit(native: &Native, polled: &BTreeMap<(String, i32), i64>) -> Result<(), KafkaError> {
    let mut offsets = TopicPartitionList::new();
    for ((topic, partition), next) in polled {
        offsets.add_partition_offset(topic, *partition, Offset::Offset(*next))?;
    }
    native.commit(&offsets, CommitMode::Sync)
}

fn is_fenced(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::IllegalGeneration
                | RDKafkaErrorCode::UnknownMemberId
                | RDKafkaErrorCode::RebalanceInProgress
                | RDKafkaErrorCode::FencedInstanceId
                | RDKafkaErrorCode::AssignmentLost
        )
    )
}

#[async_trait]
impl Consumer for Reader {
    async fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivered>, LogError> {
        let native = Arc::clone(&self.native);
        let records = tokio::task::spawn_blocking(move || poll(&native, max, wait))
            .await
            .map_err(|error| LogError::Unavailable(error.to_string()))??;
        let assignment = self.current();
        if assignment != self.assignment {
            self.polled.clear();
            self.assignment = assignment;
        }
        for record in &records {
            self.polled
                .insert((record.topic.clone(), record.partition), record.offset + 1);
        }
        Ok(records)
    }

    async fn commit(&mut self) -> Result<(), LogError> {
        let polled = std::mem::take(&mut self.polled);
        if polled.is_empty() {
            return Ok(());
        }
        if self.current() != self.assignment || self.native.assignment_lost() {
            return Err(LogError::Fenced);
        }
        let native = Arc::clone(&self.native);
        tokio::task::spawn_blocking(move || commit(&native, &polled))
            .await
            .map_err(|error| LogError::Unavailable(error.to_string()))?
            .map_err(|error| {
                if is_fenced(&error) {
                    LogError::Fenced
                } else {
                    unavailable(error)
                }
            })
    }

    async fn close(self: Box<Self>) {
        let (done, closed) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            drop(self);
            // Nobody listens after the deadline.
            let _ = done.send(());
        });
        if tokio::time::timeout(CLOSE, closed).await.is_err() {
            tracing::warn!("kafka: leaving the group takes longer than {CLOSE:?}; going on without");
        }
    }
}

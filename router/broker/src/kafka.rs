//! Topics of Kafka, by librdkafka. Partitions are assigned, not shared with a group: every gateway reads all of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};

use crate::{Extent, Log, LogError, Position, Read, Reader, Record};

/// How long one question to the brokers may take.
const ASKING: Duration = Duration::from_secs(5);
/// librdkafka wants a name, though there is no group.
const NO_GROUP: &str = "baedal-router";

/// librdkafka reports lost brokers several times a second; whoever waits for them says so once.
#[derive(Clone, Copy)]
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "kafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
    }
}

impl ConsumerContext for Quiet {}

/// Kafka brokers.
pub struct Kafka {
    servers: String,
    /// Asks about topics.
    asking: Mutex<Option<Arc<BaseConsumer<Quiet>>>>,
}

impl Kafka {
    /// The brokers at `host:port,host:port`; they need not be there yet.
    pub fn new(servers: &str) -> Kafka {
        Kafka {
            servers: servers.to_owned(),
            asking: Mutex::default(),
        }
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.servers)
            .set("client.id", "baedal-router")
            .set("group.id", NO_GROUP)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "error")
            .set("allow.auto.create.topics", "false")
            .set("isolation.level", "read_committed")
            .set("fetch.wait.max.ms", "100")
            .set("queued.max.messages.kbytes", "8192")
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            .set("socket.keepalive.enable", "true");
        config
    }

    /// The one that asks, kept for the next time.
    fn asking(&self) -> Result<Arc<BaseConsumer<Quiet>>, LogError> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asking) = &*asking {
            return Ok(Arc::clone(asking));
        }
        let made: BaseConsumer<Quiet> = self.config().create_with_context(Quiet).map_err(away)?;
        Ok(Arc::clone(asking.insert(Arc::new(made))))
    }
}

fn away(error: KafkaError) -> LogError {
    LogError::Away(error.to_string())
}

fn extents(asking: &BaseConsumer<Quiet>, topic: &str) -> Result<Vec<Extent>, LogError> {
    let metadata = asking.fetch_metadata(Some(topic), ASKING).map_err(away)?;
    let known = metadata.topics().iter().find(|known| known.name() == topic);
    let partitions = match known {
        Some(known) if known.error().is_none() => known.partitions().len(),
        _ => 0,
    };
    if partitions == 0 {
        return Err(LogError::NoTopic(topic.to_owned()));
    }
    let extent = |partition: usize| {
        let number = i32::try_from(partition).map_err(|_| LogError::NoTopic(topic.to_owned()))?;
        let asked = asking.fetch_watermarks(topic, number, ASKING);
        let (first, next) = asked.map_err(away)?;
        Ok(Extent { first, next })
    };
    (0..partitions).map(extent).collect()
}

#[async_trait]
impl Log for Kafka {
    async fn extents(&self, topic: &str) -> Result<Vec<Extent>, LogError> {
        let (asking, topic) = (self.asking()?, topic.to_owned());
        let asked = tokio::task::spawn_blocking(move || extents(&asking, &topic)).await;
        asked.unwrap_or_else(|stopped| Err(LogError::Away(stopped.to_string())))
    }

    async fn read(&self, topic: &str, from: &Position) -> Result<Box<dyn Reader>, LogError> {
        let mut assigned = TopicPartitionList::new();
        for (partition, next) in (0..).zip(from.offsets()) {
            let added = assigned.add_partition_offset(topic, partition, Offset::Offset(*next));
            added.map_err(away)?;
        }
        let consumer: StreamConsumer<Quiet> = self.config().create_with_context(Quiet).map_err(away)?;
        consumer.assign(&assigned).map_err(away)?;
        Ok(Box::new(KafkaReader {
            consumer: Some(consumer),
        }))
    }
}

struct KafkaReader {
    /// There until it is dropped.
    consumer: Option<StreamConsumer<Quiet>>,
}

impl Drop for KafkaReader {
    /// Closing can block, and nobody has to wait for it.
    fn drop(&mut self) {
        let consumer = self.consumer.take();
        std::thread::spawn(move || drop(consumer));
    }
}

#[async_trait]
impl Reader for KafkaReader {
    async fn next(&mut self) -> Result<Read, LogError> {
        let consumer = self.consumer.as_ref().expect("it is there until it is dropped");
        loop {
            match consumer.recv().await {
                Ok(message) => return record(&message).map(Read::Record),
                Err(KafkaError::PartitionEOF(partition)) => {
                    return usize::try_from(partition)
                        .map(Read::End)
                        .map_err(|_| LogError::Away("a partition below 0".to_owned()));
                }
                Err(error) if is_expired(&error) => return Err(LogError::Expired),
                Err(error) if is_final(&error) => return Err(away(error)),
                // librdkafka connects again by itself, and reads on where it was.
                Err(error) => tracing::debug!(%error, "kafka"),
            }
        }
    }
}

fn record(message: &impl Message) -> Result<Record, LogError> {
    let partition = usize::try_from(message.partition());
    let partition = partition.map_err(|_| LogError::Away("a partition below 0".to_owned()))?;
    let key = message.key().map(Bytes::copy_from_slice);
    let value = message.payload().map_or_else(Bytes::new, Bytes::copy_from_slice);
    Ok(Record::new(partition, message.offset(), key, value))
}

fn is_expired(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset)
    )
}

/// What a new reader may overcome, and this one does not.
fn is_final(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::Fatal
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::TopicAuthorizationFailed
        )
    )
}

//! The event log on Kafka, by librdkafka.
//!
//! The producer is idempotent and waits for all in-sync replicas; it holds records for as long as the brokers are away,
//! because giving one up while a later one of the same key goes through would break their order. Readers use the eager
//! assignor: every rebalance ends the old assignment of every member at once, so "polled under an older assignment" has
//! one meaning, and such a commit is refused here before the broker could take it by mistake.

mod lag;
mod reader;

use super::{Consumer, EventLog, LogError, PARTITIONS, Record, check_size};
use async_trait::async_trait;
use futures_util::future::join_all;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{FutureProducer, FutureRecord, Producer},
};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long one administrative request may take.
const ADMIN: Duration = Duration::from_secs(10);
/// The replication factor the brokers are configured with.
const BROKER_DEFAULT: i32 = -1;

/// How long a reader may be silent.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without heartbeats (a dead process) its partitions go to others after this; at least 6 s.
    pub session: Duration,
    /// Without polls (a hung handler) its partitions go to others after this; at least the session.
    pub poll: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            session: Duration::from_secs(6),
            poll: Duration::from_secs(300),
        }
    }
}

/// librdkafka reports lost brokers several times a second; whoever waits for them says so once in a while.
#[derive(Debug, Clone, Copy, Default)]
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "kafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
    }
}

/// An event log on Kafka brokers.
pub struct Kafka {
    brokers: String,
    patience: Patience,
    producer: FutureProducer<Quiet>,
    admin: AdminClient<Quiet>,
    /// Topics known to exist.
    topics: Mutex<BTreeSet<String>>,
    lags: lag::Lags,
}

impl Kafka {
    /// A log on these brokers (`host:port,host:port`); they need not be there yet.
    pub fn open(brokers: &str) -> Result<Kafka, LogError> {
        Kafka::open_patient(brokers, Patience::default())
    }

    /// [`Kafka::open`] with other limits for its readers.
    pub fn open_patient(brokers: &str, patience: Patience) -> Result<Kafka, LogError> {
        let open = |error: KafkaError| {
            LogError::Open(format!(
                "cannot use the Kafka brokers {brokers:?}: {error}. Use kafka://HOST:PORT,HOST:PORT"
            ))
        };
        if !brokers.split(',').all(|broker| {
            broker
                .rsplit_once(':')
                .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        }) {
            return Err(LogError::Open(format!(
                "the Kafka brokers {brokers:?} are not understood: use kafka://HOST:PORT,HOST:PORT"
            )));
        }
        let producer = client(brokers)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "2")
            .set("message.timeout.ms", "0")
            .create_with_context(Quiet)
            .map_err(open)?;
        let admin = client(brokers).create_with_context(Quiet).map_err(open)?;
        Ok(Kafka {
            brokers: brokers.to_owned(),
            patience,
            producer,
            admin,
            topics: Mutex::default(),
            lags: lag::Lags::default(),
        })
    }

    /// Makes the topics that are absent.
    async fn ensure(&self, topics: &[&str]) -> Result<(), LogError> {
        let absent: Vec<&str> = {
            let known = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
            topics
                .iter()
                .copied()
                .filter(|topic| !known.contains(*topic))
                .collect()
        };
        if absent.is_empty() {
            return Ok(());
        }
        let new: Vec<NewTopic<'_>> = absent
            .iter()
            .map(|t| NewTopic::new(t, PARTITIONS, TopicReplication::Fixed(BROKER_DEFAULT)))
            .collect();
        let options = AdminOptions::new()
            .request_timeout(Some(ADMIN))
            .operation_timeout(Some(ADMIN));
        for made in self
            .admin
            .create_topics(&new, &options)
            .await
            .map_err(unavailable)?
        {
            match made {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    return Err(LogError::Unavailable(format!(
                        "topic {topic} cannot be made: {code}"
                    )));
                }
            }
        }
        let mut known = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(absent.into_iter().map(str::to_owned));
        Ok(())
    }

    /// Hands a record to the producer's queue, waiting while that is full.
    async fn enqueue(
        &self,
        topic: &str,
        record: &Record,
    ) -> Result<impl Future<Output = Result<(), LogError>> + use<>, LogError> {
        loop {
            let message = FutureRecord::to(topic).key(&record.key).payload(&record.payload);
            match self.producer.send_result(message) {
                Ok(delivery) => return Ok(delivered(delivery)),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err((error, _)) => return Err(refused_or_unavailable(error)),
            }
        }
    }
}

fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", "baedal")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.keepalive.enable", "true")
        .set("allow.auto.create.topics", "false");
    config
}

async fn delivered(delivery: rdkafka::producer::future_producer::DeliveryFuture) -> Result<(), LogError> {
    match delivery.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err((error, _))) => Err(refused_or_unavailable(error)),
        Err(_) => Err(LogError::Unavailable("the producer was closed".to_owned())),
    }
}

fn refused_or_unavailable(error: KafkaError) -> LogError {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessage) => {
            LogError::Refused(error.to_string())
        }
        _ => unavailable(error),
    }
}

fn unavailable(error: KafkaError) -> LogError {
    LogError::Unavailable(error.to_string())
}

#[async_trait]
impl EventLog for Kafka {
    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), LogError> {
        check_size(&records)?;
        self.ensure(&[topic]).await?;
        let mut deliveries = Vec::with_capacity(records.len());
        for record in &records {
            deliveries.push(self.enqueue(topic, record).await?);
        }
        join_all(deliveries).await.into_iter().collect()
    }

    async fn join(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, LogError> {
        self.ensure(topics).await?;
        let mut config = client(&self.brokers);
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("partition.assignment.strategy", "range")
            // A topic that was made just now may not be known to every broker yet. Who joins in that moment is given none
            // of its partitions, and looks again only after this long (five minutes, if nothing is said).
            .set("topic.metadata.refresh.interval.ms", "2000")
            .set(
                "session.timeout.ms",
                self.patience.session.as_millis().to_string(),
            )
            .set(
                "heartbeat.interval.ms",
                (self.patience.session / 3).as_millis().to_string(),
            )
            .set("max.poll.interval.ms", self.patience.poll.as_millis().to_string());
        Ok(Box::new(reader::Reader::join(&config, topics)?))
    }

    async fn ping(&self) -> Result<(), LogError> {
        let producer = self.producer.clone();
        let answer = tokio::task::spawn_blocking(move || {
            producer
                .client()
                .fetch_metadata(None, Duration::from_secs(2))
                .map(drop)
        });
        answer
            .await
            .map_err(|error| LogError::Unavailable(error.to_string()))?
            .map_err(unavailable)
    }

    async fn lag(&self, group: &str, topics: &[&str]) -> Result<Option<u64>, LogError> {
        let mut config = client(&self.brokers);
        config.set("group.id", group).set("enable.auto.commit", "false");
        self.lags.of(&config, group, topics).await.map(Some)
    }
}

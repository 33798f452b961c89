//! The event log: topics in partitions, durable, read by groups that remember how far they are.
//!
//! Two adapters behind one port, with one behaviour suite (`tests/log.rs`): [`embedded`], a SQLite file shared by all
//! processes of one machine, and [`kafka`].
//!
//! What both promise: records of one key stay in order; a published record survives the death of any process; each
//! partition has one reader per group at a time; a group goes on where it committed; a member that lost its partitions
//! cannot move the group's position ([`LogError::Fenced`]). What neither promises: that a record is seen once.

pub mod embedded;
pub mod kafka;
pub mod namespaced;

use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// Partitions of every topic.
pub const PARTITIONS: i32 = 6;
/// Largest payload of a record, in bytes.
pub const MAX_PAYLOAD: usize = 900 * 1024;

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Records of one key are in one partition, in order.
    pub key: String,
    /// The bytes, at most [`MAX_PAYLOAD`].
    pub payload: Vec<u8>,
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Topic it was published to.
    pub topic: String,
    /// Partition within the topic.
    pub partition: i32,
    /// Position within the partition, growing.
    pub offset: i64,
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// Why the log did not do it.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The URL is not one of a log, or the log cannot be opened; the text says what to do.
    #[error("{0}")]
    Open(String),
    /// It may work later: broker away, file busy.
    #[error("event log is not available: {0}")]
    Unavailable(String),
    /// The reader's partitions went to another member; what it polled will be read again.
    #[error("this reader's partitions were given to another member of its group")]
    Fenced,
    /// A record that can never be stored.
    #[error("record refused: {0}")]
    Refused(String),
}

/// An event log.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Stores the records, in order, durably. On an error any number of them may have been stored.
    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), LogError>;

    /// Becomes a member of a group that reads these topics, from the beginning where the group is new.
    async fn join(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, LogError>;

    /// Forgets at most `most` records that are older and that every group has read; says how many. Brokers do so by
    /// themselves.
    async fn prune(&self, age: Duration, most: usize) -> Result<u64, LogError> {
        let _ = (age, most);
        Ok(0)
    }

    /// The log can be reached.
    async fn ping(&self) -> Result<(), LogError>;

    /// How many records of these topics a group has not finished; nothing where the log cannot tell.
    async fn lag(&self, group: &str, topics: &[&str]) -> Result<Option<u64>, LogError> {
        let _ = (group, topics);
        Ok(None)
    }
}

/// A member of a group. A dropped member leaves without a word: the others wait until it counts as dead.
#[async_trait]
pub trait Consumer: Send {
    /// The next records of this member's partitions, at most `max`; waits up to `wait` for the first.
    ///
    /// Not cancel-safe: records of a cancelled poll may not come again before a rebalance.
    async fn poll(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivered>, LogError>;

    /// Everything polled so far was handled: the group goes on after it.
    async fn commit(&mut self) -> Result<(), LogError>;

    /// Leaves the group, so that others take over at once.
    async fn close(self: Box<Self>);
}

/// Opens a log: `embedded:PATH` (a file, made if absent) or `kafka://HOST:PORT[,HOST:PORT…][/NAMESPACE]`.
pub async fn open(url: &str) -> Result<Arc<dyn EventLog>, LogError> {
    if let Some(path) = url.strip_prefix("embedded:") {
        return Ok(embedded::Embedded::open(path).await?);
    }
    if let Some(rest) = url.strip_prefix("kafka://") {
        return match rest.split_once('/') {
            Some((brokers, namespace)) => {
                let log = Arc::new(kafka::Kafka::open(brokers)?);
                Ok(Arc::new(namespaced::Namespaced::new(log, namespace)?))
            }
            None => Ok(Arc::new(kafka::Kafka::open(rest)?)),
        };
    }
    Err(LogError::Open(format!(
        "event log URL {url:?} is not understood: use embedded:PATH/events.db, or kafka://HOST:PORT,HOST:PORT with /NAMESPACE where brokers are shared"
    )))
}

/// Refuses payloads no adapter would take.
fn check_size(records: &[Record]) -> Result<(), LogError> {
    match records.iter().find(|record| record.payload.len() > MAX_PAYLOAD) {
        Some(record) => Err(LogError::Refused(format!(
            "{} bytes under key {:?}, the limit is {MAX_PAYLOAD}",
            record.payload.len(),
            record.key
        ))),
        None => Ok(()),
    }
}

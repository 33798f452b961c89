//! The port to a broker.

use std::sync::OnceLock;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;

use crate::Position;

/// A broker that keeps topics.
#[async_trait]
pub trait Log: Send + Sync {
    /// What is kept of each partition of a topic, by its number.
    async fn extents(&self, topic: &str) -> Result<Vec<Extent>, LogError>;

    /// Reads all partitions, each from its place on.
    async fn read(&self, topic: &str, from: &Position) -> Result<Box<dyn Reader>, LogError>;
}

/// A reader of one topic.
#[async_trait]
pub trait Reader: Send {
    /// The next that happens. It may be dropped while it waits, and nothing is lost.
    async fn next(&mut self) -> Result<Read, LogError>;
}

/// What a reader meets.
#[derive(Debug)]
pub enum Read {
    /// A record.
    Record(Record),
    /// The end of a partition, for now. Told at least once after a reader was opened, where nothing more is to read.
    End(usize),
}

/// What is kept of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Offset of the oldest record that is kept.
    pub first: i64,
    /// The offset that the next record will have.
    pub next: i64,
}

/// A record.
#[derive(Debug)]
pub struct Record {
    /// Its partition.
    pub partition: usize,
    /// Its place there.
    pub offset: i64,
    /// Its key, if it has one.
    pub key: Option<Bytes>,
    /// What it says; empty for one that only takes back its key.
    pub value: Bytes,
    json: OnceLock<Option<Value>>,
}

impl Record {
    /// A record as it was read.
    pub fn new(partition: usize, offset: i64, key: Option<Bytes>, value: Bytes) -> Record {
        Record {
            partition,
            offset,
            key,
            value,
            json: OnceLock::new(),
        }
    }

    /// Its value as JSON, if it is; read once for all who ask.
    pub fn json(&self) -> Option<&Value> {
        self.json
            .get_or_init(|| serde_json::from_slice(&self.value).ok())
            .as_ref()
    }

    /// Roughly the memory it takes.
    pub fn weight(&self) -> usize {
        let key = self.key.as_ref().map_or(0, Bytes::len);
        size_of::<Record>() + key + self.value.len()
    }
}

/// What can go wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The broker cannot be reached, or does not do its part. It may be past in a moment.
    #[error("the broker is away: {0}")]
    Away(String),
    /// There is no such topic.
    #[error("there is no topic `{0}`")]
    NoTopic(String),
    /// What comes after a position is no longer kept, or the topic was made anew.
    #[error("the records after this position are not kept any more")]
    Expired,
}

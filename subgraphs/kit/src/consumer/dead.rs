//! Dead letters: records that could not be read or applied, kept with the reason until an operator has them applied
//! after all or gives them up.
//!
//! Each is kept twice: in the service's own store, where it is listed and re-driven from ([`DeadLetters`]), and in the
//! topic `<topic>.dead`, for other tools.

use crate::log::{Delivered, MAX_PAYLOAD, Record};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What is published to `<topic>.dead`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Why it is here.
    pub reason: String,
    /// The group that could not handle it.
    pub group: String,
    /// Where it was.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its key.
    pub key: String,
    /// The record as text, bytes that are not UTF-8 replaced, cut where it is too long to keep.
    pub payload: String,
}

/// A dead letter in the service's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where the record was, `TOPIC/PARTITION/OFFSET`: a record that is buried again is the same letter.
    pub id: String,
    /// The letter.
    pub letter: DeadLetter,
    /// The payload is the record's, byte for byte; else it can be looked at, but not applied.
    pub whole: bool,
    /// When it was given up, in milliseconds since 1970.
    pub buried_at: i64,
    /// How often an operator has tried it in vain.
    pub attempts: i64,
}

/// The store did not answer as it should.
#[derive(Debug, thiserror::Error)]
#[error("dead letters: {0}")]
pub struct LettersError(#[source] pub anyhow::Error);

/// Where a page of letters goes on: after the one buried then, with this id.
pub type After<'a> = (i64, &'a str);

/// The dead letters of a service's consumer.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Keeps a letter; one that is there already stays as it is.
    async fn keep(&self, letter: &Kept) -> Result<(), LettersError>;
    /// Letters by the time they were buried, oldest first.
    async fn page(&self, after: Option<After<'_>>, limit: usize) -> Result<Vec<Kept>, LettersError>;
    /// Letters to try, those least often tried first, oldest first among them.
    async fn due(&self, limit: usize) -> Result<Vec<Kept>, LettersError>;
    /// Those of the ids that are there, oldest first.
    async fn find(&self, ids: &[String]) -> Result<Vec<Kept>, LettersError>;
    /// A letter was tried in vain, for this reason.
    async fn refused(&self, id: &str, reason: &str) -> Result<(), LettersError>;
    /// Forgets letters; says how many were there.
    async fn remove(&self, ids: &[String]) -> Result<u64, LettersError>;
    /// How many there are.
    async fn count(&self) -> Result<u64, LettersError>;
}

/// Largest part of a payload in the topic: JSON escapes must not push the letter over the log's limit.
const PUBLISHED: usize = 128 * 1024;

/// The topic dead letters of `topic` go to.
pub(super) fn topic_of(topic: &str) -> String {
    format!("{topic}.dead")
}

/// The dead letter of a record, as the store keeps it.
pub(super) fn kept(group: &str, record: &Delivered, reason: String, now_ms: i64) -> Kept {
    let bytes = &record.payload[..record.payload.len().min(MAX_PAYLOAD)];
    // Postgres has no text with a NUL in it, and JSON none that is not escaped.
    let payload = String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    Kept {
        id: format!("{}/{}/{}", record.topic, record.partition, record.offset),
        whole: payload.as_bytes() == record.payload,
        letter: DeadLetter {
            reason: reason.replace('\0', "\u{fffd}"),
            group: group.to_owned(),
            topic: record.topic.clone(),
            partition: record.partition,
            offset: record.offset,
            key: record.key.replace('\0', "\u{fffd}"),
            payload,
        },
        buried_at: now_ms,
        attempts: 0,
    }
}

/// The dead letter as a record of the log.
pub(super) fn published(letter: &DeadLetter) -> Record {
    let end = letter.payload.floor_char_boundary(PUBLISHED);
    let letter = DeadLetter {
        payload: letter.payload[..end].to_owned(),
        ..letter.clone()
    };
    Record {
        key: letter.key.clone(),
        payload: serde_json::to_vec(&letter).expect("strings and numbers only"),
    }
}

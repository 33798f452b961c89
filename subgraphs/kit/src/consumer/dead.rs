//! Dead letters: records that could not be read or applied, kept with the reason.

use crate::log::{Delivered, Record};
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

/// Largest part of a payload that is kept: JSON escapes must not push the letter over the log's limit.
const KEPT: usize = 128 * 1024;

/// The topic dead letters of `topic` go to.
pub(super) fn topic_of(topic: &str) -> String {
    format!("{topic}.dead")
}

/// The dead letter of a record.
pub(super) fn letter(group: &str, record: &Delivered, reason: String) -> Record {
    let kept = &record.payload[..record.payload.len().min(KEPT)];
    let letter = DeadLetter {
        reason,
        group: group.to_owned(),
        topic: record.topic.clone(),
        partition: record.partition,
        offset: record.offset,
        key: record.key.clone(),
        payload: String::from_utf8_lossy(kept).into_owned(),
    };
    let payload = serde_json::to_vec(&letter).expect("strings and numbers only");
    Record {
        key: record.key.clone(),
        payload,
    }
}

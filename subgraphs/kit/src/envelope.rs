//! The envelope every event travels in. Names follow [CloudEvents](https://github.com/cloudevents/spec) where it has them.

use crate::clock::{Clock, Ids};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// One event as it is stored in the outbox and sent, JSON in camelCase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Unique id (UUIDv7); what the inbox remembers.
    pub id: Uuid,
    /// Name of the event.
    pub r#type: String,
    /// Its Korean term.
    pub alias: String,
    /// Major version of `data`.
    pub version: u32,
    /// When it happened, in milliseconds since 1970; RFC 3339 in JSON.
    #[serde(with = "rfc3339")]
    pub time: i64,
    /// The service it comes from.
    pub source: String,
    /// The aggregate it happened to.
    pub aggregate_id: String,
    /// Number of the event within its aggregate, growing.
    pub sequence: u64,
    /// What belongs together (the order id); also the record key, so that order holds per correlation.
    pub correlation_id: String,
    /// Id of the event that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    /// [W3C trace context](https://www.w3.org/TR/trace-context/) of the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The payload.
    pub data: Value,
}

/// What happened: the part of an envelope that the event's own type knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Name of the event.
    pub r#type: &'static str,
    /// Its Korean term.
    pub alias: &'static str,
    /// Major version of `data`.
    pub version: u32,
    /// The payload.
    pub data: Value,
}

/// When and where it happened, and under which id it will be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Fresh id.
    pub id: Uuid,
    /// Milliseconds since 1970.
    pub time: i64,
    /// Name of the service.
    pub source: &'a str,
}

impl<'a> Origin<'a> {
    /// Here and now.
    pub fn now(source: &'a str, clock: &dyn Clock, ids: &dyn Ids) -> Origin<'a> {
        Origin {
            id: ids.next(),
            time: clock.now_ms(),
            source,
        }
    }
}

impl Envelope {
    /// An envelope correlated by its own aggregate.
    pub fn new(fact: Fact, origin: Origin<'_>, aggregate_id: impl Into<String>, sequence: u64) -> Envelope {
        let aggregate_id = aggregate_id.into();
        Envelope {
            id: origin.id,
            r#type: fact.r#type.to_owned(),
            alias: fact.alias.to_owned(),
            version: fact.version,
            time: origin.time,
            source: origin.source.to_owned(),
            correlation_id: aggregate_id.clone(),
            aggregate_id,
            sequence,
            causation_id: None,
            traceparent: None,
            data: fact.data,
        }
    }

    /// Belongs to another correlation than its aggregate.
    #[must_use]
    pub fn correlated(mut self, correlation_id: impl Into<String>) -> Envelope {
        self.correlation_id = correlation_id.into();
        self
    }

    /// Follows from `cause`: takes over its correlation and trace.
    #[must_use]
    pub fn caused_by(mut self, cause: &Envelope) -> Envelope {
        self.causation_id = Some(cause.id.to_string());
        self.correlation_id = cause.correlation_id.clone();
        self.traceparent = cause.traceparent.clone();
        self
    }

    /// Carries the trace context of the request it came from.
    #[must_use]
    pub fn traced(mut self, traceparent: Option<String>) -> Envelope {
        self.traceparent = traceparent;
        self
    }

    /// The key of its record in the event log.
    pub fn key(&self) -> &str {
        &self.correlation_id
    }

    /// The record's bytes.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an envelope holds only strings, numbers and JSON")
    }

    /// Reads a record; fields that are not known are ignored.
    pub fn from_json(payload: &[u8]) -> Result<Envelope, serde_json::Error> {
        serde_json::from_slice(payload)
    }
}

/// RFC 3339 text in UTC of a time in milliseconds since 1970. Times beyond year 9999 are shown as the epoch.
pub fn rfc3339(ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

/// Milliseconds since 1970 of an RFC 3339 text, in any offset.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}

mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::rfc3339(*ms))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse_rfc3339(&text)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not an RFC 3339 time")))
    }
}

//! A subscription to a bound field, under way.

use std::sync::Arc;

use baedal_broker::{LogError, Position, Record, Stream};
use baedal_executor::CallError;
use baedal_telemetry::metrics::Counter;
use bytes::Bytes;
use serde_json::json;
use tokio::time::Duration;

use super::asked::{self, Asked};
use super::rule::{NoClaim, Rules};
use super::shape::Shape;
use super::{Bound, Field};
use crate::errors::subgraph_codes as codes;
use crate::jwt::Caller;
use crate::pipeline::Prepared;
use crate::subgraphs::UpstreamItem;

/// A stream of records that are events.
pub struct BoundStream {
    stream: Stream,
    rules: Rules,
    shape: Shape,
    /// Where the event is in a record's value.
    payload: String,
    /// What cursors are marked with.
    mark: String,
    cursor_field: String,
    skipped: Counter,
}

/// What opening one needs.
pub struct Wanted<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// Where an upstream was that this one takes the place of.
    pub after: Option<Position>,
    /// How long may be waited for the broker.
    pub within: Duration,
}

impl Bound {
    /// Opens the subscription if its field is bound.
    pub async fn open(
        &self,
        prepared: &Prepared,
        wanted: Wanted<'_>,
    ) -> Option<Result<BoundStream, CallError>> {
        let body = prepared.upstream()?.body;
        let asked = asked::read(prepared.schema(), &body)?;
        let field = self.field(&asked)?;
        Some(self.begin(field, asked, wanted).await)
    }

    async fn begin(&self, field: &Field, asked: Asked, wanted: Wanted<'_>) -> Result<BoundStream, CallError> {
        let rules = Rules::of(&field.config, &asked.arguments, wanted.caller).map_err(no_claim)?;
        let mark = format!("{}/{}", field.config.broker, field.config.topic);
        let after = match (wanted.after, asked.arguments.get(&self.cursor_argument)) {
            (Some(after), _) => Some(after),
            (None, Some(serde_json::Value::String(cursor))) => {
                Some(Position::of_cursor(cursor, &mark).ok_or_else(bad_cursor)?)
            }
            _ => None,
        };
        let key = rules.key.clone();
        let stream = match after {
            Some(after) => Stream::after(&field.topic, key, after),
            None => {
                let opening = Stream::open(&field.topic, key);
                let opened = tokio::time::timeout(wanted.within, opening).await;
                let slow = || LogError::Away(format!("no answer within {:?}", wanted.within));
                opened
                    .unwrap_or_else(|_| Err(slow()))
                    .map_err(|error| away(&error))?
            }
        };
        Ok(BoundStream {
            stream,
            rules,
            shape: asked.shape,
            payload: field.config.payload.clone(),
            mark,
            cursor_field: self.cursor_field.clone(),
            skipped: self.skipped.with(&[&field.config.topic]),
        })
    }
}

impl BoundStream {
    /// The next item.
    pub async fn next(&mut self) -> UpstreamItem {
        loop {
            match self.stream.next().await {
                Ok(record) => {
                    if let Some(event) = self.event(&record) {
                        return UpstreamItem::Event(event);
                    }
                }
                Err(error) => return UpstreamItem::Refused(expired(&error)),
            }
        }
    }

    /// Where it is.
    pub fn position(&self) -> &Position {
        self.stream.position()
    }

    /// A record as an event, if it is one for this subscription. One that cannot be used is passed over: it must not
    /// stop what comes after it.
    fn event(&self, record: &Arc<Record>) -> Option<Bytes> {
        if record.value.is_empty() {
            return None;
        }
        let Some(value) = record.json() else {
            return self.skip(record, "it is not JSON");
        };
        if !self.rules.hold(value) {
            return None;
        }
        let cursor = self.stream.position().cursor(&self.mark);
        let event = value.pointer(&self.payload);
        let answer = event.and_then(|event| self.shape.answer(event, &self.cursor_field, &cursor));
        match answer {
            Some(answer) => Some(answer.into()),
            None => self.skip(record, "there is no object where `payload` points to"),
        }
    }

    fn skip(&self, record: &Record, why: &str) -> Option<Bytes> {
        self.skipped.inc();
        let Record {
            partition, offset, ..
        } = record;
        tracing::debug!(topic = self.mark, partition, offset, why, "a record is no event");
        None
    }
}

fn no_claim(NoClaim(name): NoClaim) -> CallError {
    let text = format!("this subscription is for callers whose token has the claim `{name}`");
    CallError::new(codes::STREAM_REFUSED, text)
}

fn bad_cursor() -> CallError {
    let text = "this cursor is none of this subscription; begin without one";
    CallError::new(codes::CURSOR_INVALID, text.to_owned())
}

fn away(error: &LogError) -> CallError {
    tracing::warn!(%error, "a bound subscription cannot begin");
    let text = "the source of this subscription's events cannot be reached";
    CallError::new(codes::UNREACHABLE, text.to_owned())
}

fn expired(error: &LogError) -> Bytes {
    tracing::debug!(%error, "a bound subscription cannot go on");
    let text = "the events after this cursor are not kept any more; read what you need anew, and begin without a cursor";
    let errors = json!([{"message": text, "extensions": {"code": codes::CURSOR_EXPIRED}}]);
    errors.to_string().into()
}

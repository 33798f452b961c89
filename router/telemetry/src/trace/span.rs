//! One piece of work.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;

use super::TraceContext;

/// What a span is to the other side ([SpanKind](https://opentelemetry.io/docs/specs/otel/trace/api/#spankind)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Work inside.
    Internal,
    /// A request is answered.
    Server,
    /// A request is made.
    Client,
    /// An event is sent.
    Producer,
    /// An event is worked on.
    Consumer,
}

/// What an attribute may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

/// A span that has ended.
#[derive(Debug)]
pub(crate) struct Record {
    pub context: TraceContext,
    pub parent: Option<u64>,
    pub name: Cow<'static, str>,
    pub kind: Kind,
    /// Nanoseconds since 1970.
    pub start: u64,
    pub end: u64,
    pub attributes: Vec<(&'static str, Value)>,
    /// Why it failed, if it did.
    pub failure: Option<Cow<'static, str>>,
}

/// Where ended spans go.
pub(super) type Sink = mpsc::WeakSender<crate::otlp::Task>;

/// A piece of work under way; it ends when this is dropped. One that nobody samples holds nothing but its context.
#[derive(Debug)]
pub struct Span {
    context: TraceContext,
    kept: Option<Box<Kept>>,
}

#[derive(Debug)]
struct Kept {
    record: Record,
    sink: Sink,
    lost: crate::metrics::Counter,
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Value {
        Value::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Flag(flag)
    }
}

impl Span {
    /// One that only carries its context on.
    pub(super) fn silent(context: TraceContext) -> Span {
        Span { context, kept: None }
    }

    pub(super) fn kept(record: Record, sink: Sink, lost: crate::metrics::Counter) -> Span {
        let context = record.context;
        let kept = Kept { record, sink, lost };
        Span {
            context,
            kept: Some(Box::new(kept)),
        }
    }

    /// What calls and events of this work carry.
    pub fn context(&self) -> TraceContext {
        self.context
    }

    /// Whether anybody will see it; what is costly to tell need not be told otherwise.
    pub fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// A better name, known now.
    pub fn rename(&mut self, name: impl Into<Cow<'static, str>>) {
        if let Some(kept) = &mut self.kept {
            kept.record.name = name.into();
        }
    }

    /// Tells something of it, by a name of the
    /// [semantic conventions](https://opentelemetry.io/docs/specs/semconv/) where there is one.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(kept) = &mut self.kept {
            kept.record.attributes.push((name, value.into()));
        }
    }

    /// It failed.
    pub fn fail(&mut self, why: impl Into<Cow<'static, str>>) {
        if let Some(kept) = &mut self.kept {
            kept.record.failure = Some(why.into());
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let empty = Record {
            name: Cow::Borrowed(""),
            attributes: Vec::new(),
            failure: None,
            ..self.record
        };
        let mut record = std::mem::replace(&mut self.record, empty);
        record.end = now();
        let sent = match self.sink.upgrade() {
            Some(sink) => sink.try_send(crate::otlp::Task::Span(record)).is_ok(),
            None => false,
        };
        if !sent {
            self.lost.inc();
        }
    }
}

/// Nanoseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

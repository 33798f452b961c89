//! Begins spans.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::span::{self, Kind, Record, Span};
use super::{Sampler, Settings, TraceContext};
use crate::metrics::{Counter, Metric, Registry};
use crate::otlp::{self, Task};

/// Spans that wait to be sent; more are dropped and counted: a collector that is away must not cost memory.
const QUEUE: usize = 4096;

/// What a tracer tells of itself.
pub const METRICS: [&Metric; 2] = [&SENT, &LOST];

static SENT: Metric = Metric::counter(
    "baedal_trace_spans_sent_total",
    &[],
    "Spans that the trace collector has taken",
);
static LOST: Metric = Metric::counter(
    "baedal_trace_spans_lost_total",
    &[],
    "Spans that were dropped, because the trace collector was away, refused them, or was too slow",
);

/// Begins spans, and has those that are sampled sent. Clones are the same; one without a collector costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Tracer {
    inner: Option<Arc<Inner>>,
}

#[derive(Debug)]
struct Inner {
    sampler: Sampler,
    queue: mpsc::Sender<Task>,
    lost: Counter,
}

impl Tracer {
    /// A tracer that keeps nothing.
    pub fn off() -> Tracer {
        Tracer::default()
    }

    /// A tracer whose spans are sent by a task of the current runtime, until it is dropped.
    pub fn start(settings: Settings, registry: &Registry) -> Tracer {
        let (sent, lost) = (registry.counter(&SENT), registry.counter(&LOST));
        let (queue, tasks) = mpsc::channel(QUEUE);
        let sampler = settings.sampler;
        tokio::spawn(otlp::export(settings, tasks, sent, lost.clone()));
        Tracer {
            inner: Some(Arc::new(Inner { sampler, queue, lost })),
        }
    }

    /// As the environment asks for ([`Settings::of`]); what it asks for wrongly is logged, and then there is none.
    pub fn of_environment(service: &str, registry: &Registry) -> Tracer {
        match Settings::of(service, |name| std::env::var(name).ok()) {
            Ok(Some(settings)) => Tracer::start(settings, registry),
            Ok(None) => Tracer::off(),
            Err(error) => {
                tracing::error!(%error, "no traces are sent");
                Tracer::off()
            }
        }
    }

    /// Whether anything is sent at all.
    pub fn is_on(&self) -> bool {
        self.inner.is_some()
    }

    /// Begins a span. Without a collector it stands for its parent, so that the trace goes on through this process.
    pub fn begin(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: Kind,
        parent: Option<TraceContext>,
    ) -> Span {
        let Some(inner) = &self.inner else {
            return Span::silent(parent.unwrap_or_else(|| new_trace(false)));
        };
        let context = match parent {
            Some(parent) => parent.child(rand::random()),
            None => new_trace(false),
        };
        let keeps = inner.sampler.keeps(parent, context.trace());
        let context = context.with_sampled(keeps);
        if !keeps {
            return Span::silent(context);
        }
        let start = span::now();
        let record = Record {
            context,
            parent: parent.map(TraceContext::span),
            name: name.into(),
            kind,
            start,
            end: start,
            attributes: Vec::new(),
            failure: None,
        };
        Span::kept(record, inner.queue.downgrade(), inner.lost.clone())
    }

    /// Returns when all spans that have ended are sent or given up, within `patience`.
    pub async fn flush(&self, patience: Duration) {
        let Some(inner) = &self.inner else {
            return;
        };
        let flushed = async {
            let (done, all) = oneshot::channel();
            if inner.queue.send(Task::Flush(done)).await.is_ok() {
                let _ = all.await;
            }
        };
        let _ = tokio::time::timeout(patience, flushed).await;
    }
}

fn new_trace(sampled: bool) -> TraceContext {
    TraceContext::root(rand::random(), rand::random(), sampled)
}

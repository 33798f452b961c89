//! The trace that the work at hand belongs to.
//!
//! A request's or event's trace is known where it comes in, and needed where it has effects: in the outbox, in a call to
//! another service. What lies between, the application and its domain, has no use for it, so it travels beside them, with
//! the task. A task that is spawned on the way takes it along by [`carried`].

use baedal_telemetry::{Span, TraceContext, Tracer, trace::Kind};
use std::{borrow::Cow, collections::HashMap, sync::Arc};
use tracing::Instrument;

use crate::envelope::Envelope;

tokio::task_local! {
    static HERE: Here;
}

#[derive(Clone, Default)]
struct Here {
    tracer: Tracer,
    /// Of the request, or of the only event.
    current: Option<TraceContext>,
    /// Of each event of a batch, by its id.
    of_events: Arc<HashMap<String, TraceContext>>,
}

/// Work for a request of this trace.
pub async fn within<T>(tracer: &Tracer, context: TraceContext, work: impl Future<Output = T>) -> T {
    let here = Here {
        tracer: tracer.clone(),
        current: Some(context),
        of_events: Arc::default(),
    };
    HERE.scope(here, work).await
}

/// Work for a batch of events: what follows from one of them belongs to its trace.
pub(crate) async fn within_batch<T>(tracer: &Tracer, batch: &[Envelope], work: impl Future<Output = T>) -> T {
    let known = batch
        .iter()
        .filter_map(|event| Some((event.id.to_string(), of_event(event)?)));
    let here = Here {
        tracer: tracer.clone(),
        current: match batch {
            [only] => of_event(only),
            _ => None,
        },
        of_events: Arc::new(known.collect()),
    };
    HERE.scope(here, work).await
}

/// The work with the present trace and log fields, for a task of its own.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let here = HERE.try_with(Here::clone).unwrap_or_default();
    HERE.scope(here, work).in_current_span()
}

/// The trace of the work at hand.
pub fn current() -> Option<TraceContext> {
    HERE.try_with(|here| here.current).ok().flatten()
}

/// A piece of the work at hand; nothing outside of any.
pub fn child(name: impl Into<Cow<'static, str>>, kind: Kind) -> Option<Span> {
    let begin = |here: &Here| Some(here.tracer.begin(name, kind, Some(here.current?)));
    HERE.try_with(begin).ok().flatten()
}

/// The trace an event belongs to.
pub(crate) fn of_event(event: &Envelope) -> Option<TraceContext> {
    event.traceparent.as_deref().and_then(TraceContext::parse)
}

/// The event with the trace of what led to it, unless it knows that itself.
pub(crate) fn sealed(event: &Envelope) -> Cow<'_, Envelope> {
    if event.traceparent.is_some() {
        return Cow::Borrowed(event);
    }
    let found = HERE.try_with(|here| {
        let cause = event.causation_id.as_ref();
        cause
            .and_then(|cause| here.of_events.get(cause))
            .copied()
            .or(here.current)
    });
    match found.ok().flatten() {
        Some(context) => Cow::Owned(event.clone().traced(Some(context.to_string()))),
        None => Cow::Borrowed(event),
    }
}

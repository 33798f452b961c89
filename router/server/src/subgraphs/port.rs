//! The executor's [`Subgraphs`] port for one request: its headers, and the endpoints of its snapshot.

use std::sync::Arc;

use baedal_executor::{CallError, SubgraphCall, Subgraphs};
use baedal_planner::plan::OperationKind;
use baedal_telemetry::Span;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::client::Reply;
use super::guarded::GuardedCall;
use super::{Client, Endpoint, Opening, SharedCalls, SubgraphError, Upstream};
use crate::embed::{self, SubgraphService, Wanted};
use crate::engine::Engine;
use crate::forward::Forwarded;
use crate::observe::Observer;
use crate::responses::{Lens, Origin, Reply as Kept};

/// Bytes of masked errors in one line of the log.
const MOST_LOGGED: usize = 4 * 1024;

/// Calls on behalf of one request.
#[derive(Clone, Copy)]
pub struct Calls<'a> {
    /// The pool.
    pub client: &'a Client,
    /// What stands before all of it, if anything does.
    pub layers: Option<&'a SubgraphService>,
    /// The snapshot that says where subgraphs are.
    pub engine: &'a Arc<Engine>,
    /// The calls that equal ones share, if they may.
    pub shared: Option<&'a Arc<SharedCalls>>,
    /// What travels on.
    pub forwarded: &'a Forwarded,
    /// When nobody waits for the answers any more.
    pub until: Instant,
    /// Whether calls rather wait for their turn than be refused: those of an event, which is not asked for again.
    pub patient: bool,
    /// Whether errors of subgraphs are masked: then the log is where they are told.
    pub masks: bool,
    /// Who is told of calls.
    pub observer: &'a Arc<Observer>,
    /// What is kept of answers, as this request sees it.
    pub lens: Option<Lens<'a>>,
}

impl Subgraphs for Calls<'_> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        match &self.lens {
            // It is large, and seldom needed where there is no cache.
            Some(lens) => Box::pin(lens.call(call, self)).await,
            None => self
                .make(call.subgraph, call.kind, &call.body)
                .await
                .map(|reply| reply.body),
        }
    }

    fn regret(&self, subgraph: &str) {
        if let Some(endpoint) = self.endpoint(subgraph) {
            endpoint.regret();
        }
    }
}

impl Origin for Calls<'_> {
    async fn ask(&self, subgraph: &str, kind: OperationKind, body: &Bytes) -> Result<Kept, CallError> {
        let reply = self.make(subgraph, kind, body).await?;
        Ok(Kept {
            is_success: reply.status.is_success(),
            body: reply.body,
            fields: reply.caching,
        })
    }
}

impl Calls<'_> {
    pub(super) fn endpoint(&self, subgraph: &str) -> Option<&Endpoint> {
        self.engine.endpoints().get(subgraph)
    }

    /// Calls a subgraph, or waits for an equal call.
    async fn make(&self, subgraph: &str, kind: OperationKind, body: &Bytes) -> Result<Reply, CallError> {
        match self.shared {
            Some(shared) if kind == OperationKind::Query => {
                // It is large, and no part of calls that are not shared.
                Box::pin(shared.call(self, subgraph, body)).await
            }
            _ => self.make_alone(subgraph, kind, body).await,
        }
    }

    /// Calls a subgraph.
    pub(super) async fn make_alone(
        &self,
        subgraph: &str,
        kind: OperationKind,
        body: &Bytes,
    ) -> Result<Reply, CallError> {
        let (start, endpoint) = (Instant::now(), self.endpoint(subgraph));
        let mut span = self.span(subgraph);
        let below = span.as_ref().map(|span| self.forwarded.below(span.context()));
        let forwarded = below.as_ref().unwrap_or(self.forwarded);
        let answer = match endpoint {
            Some(endpoint) => match self.layers {
                None => self.guarded(endpoint, forwarded, body).make(kind).await,
                Some(layers) => {
                    let wanted = self.wanted(endpoint, kind);
                    Box::pin(embed::call(layers, subgraph, forwarded, body.clone(), wanted)).await
                }
            },
            None => Err(SubgraphError::NoAddress),
        };
        if let (true, Ok(reply)) = (self.masks, &answer) {
            self.log_masked(subgraph, &reply.body);
        }
        let code = answer.as_ref().err().map(SubgraphError::code);
        self.observer.called(subgraph, endpoint, code, start.elapsed());
        if let (Some(span), Some(code)) = (&mut span, code) {
            span.fail(code);
        }
        answer.map_err(|error| self.report(subgraph, &error))
    }

    fn guarded<'b>(
        &'b self,
        endpoint: &'b Endpoint,
        forwarded: &'b Forwarded,
        body: &'b [u8],
    ) -> GuardedCall<'b> {
        GuardedCall {
            client: self.client,
            endpoint,
            forwarded,
            body,
            until: self.until,
            patient: self.patient,
        }
    }

    /// The same for a way through layers.
    fn wanted(&self, endpoint: &Endpoint, kind: OperationKind) -> Wanted {
        Wanted {
            client: self.client.clone(),
            endpoint: endpoint.clone(),
            until: self.until,
            patient: self.patient,
            kind,
        }
    }

    /// A span of the call's own, if anybody will see it.
    fn span(&self, subgraph: &str) -> Option<Span> {
        let request = self.forwarded.trace().filter(|trace| trace.sampled())?;
        let span = self.observer.call_span(subgraph, request);
        span.is_kept().then_some(span)
    }

    /// Opens the subscription that `call` describes.
    pub async fn open(&self, call: SubgraphCall<'_>, opening: Opening<'_>) -> Result<Upstream, CallError> {
        let opened = match self.endpoint(call.subgraph) {
            Some(endpoint) => endpoint.open(self.opened(endpoint, &call, opening)).await,
            None => Err(SubgraphError::NoAddress),
        };
        opened.map_err(|error| self.report(call.subgraph, &error))
    }

    /// The stream itself, once all layers have let the request for it through.
    async fn opened(
        &self,
        endpoint: &Endpoint,
        call: &SubgraphCall<'_>,
        opening: Opening<'_>,
    ) -> Result<Upstream, SubgraphError> {
        let Some(layers) = self.layers else {
            return Upstream::open(endpoint, opening, &call.body).await;
        };
        let until = Instant::now() + opening.settings.connect_timeout;
        let (to, body) = ((endpoint, call.subgraph), call.body.clone());
        let asking = embed::stream(layers, to, opening.forwarded, body, until);
        let (forwarded, body) = Box::pin(asking).await?;
        let opening = Opening {
            forwarded: &forwarded,
            ..opening
        };
        Upstream::open(endpoint, opening, &body).await
    }

    /// What the client does not see of a subgraph's errors is told in the log, under the request's id.
    pub fn log_masked(&self, subgraph: &str, body: &[u8]) {
        #[derive(Deserialize)]
        struct Reported<'a> {
            #[serde(borrow)]
            errors: Option<&'a RawValue>,
        }
        if memchr::memmem::find(body, b"\"errors\"").is_none() {
            return;
        }
        let reported = serde_json::from_slice::<Reported<'_>>(body).ok();
        if let Some(errors) = reported.and_then(|reported| reported.errors) {
            let text = errors.get();
            let errors = &text[..text.floor_char_boundary(MOST_LOGGED)];
            let request_id = self.forwarded.request_id();
            tracing::warn!(
                subgraph,
                request_id,
                errors,
                "errors of a subgraph that clients do not see"
            );
        }
    }

    /// The whole error goes to the log, what may be known to the client.
    pub(super) fn report(&self, subgraph: &str, error: &SubgraphError) -> CallError {
        match error {
            // Told once, when the circuit opened; in an overload there is no end of them.
            SubgraphError::Busy | SubgraphError::CircuitOpen(_) => {
                tracing::debug!(subgraph, %error, "a subgraph call was not made");
            }
            _ => {
                tracing::warn!(subgraph, %error, request_id = self.forwarded.request_id(), "a subgraph call failed");
            }
        }
        CallError::new(error.code(), error.for_client(subgraph))
    }
}

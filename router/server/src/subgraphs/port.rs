//! The executor's [`Subgraphs`] port for one request: its headers, and the endpoints of its snapshot.

use std::collections::HashMap;

use baedal_executor::{CallError, SubgraphCall, Subgraphs};
use bytes::Bytes;
use tokio::time::Instant;

use super::guarded::GuardedCall;
use super::{Client, Endpoint, SubgraphError, Upstream};
use crate::config::SubscriptionsConfig;
use crate::forward::Forwarded;

/// Calls on behalf of one request.
#[derive(Clone, Copy)]
pub struct Calls<'a> {
    /// The pool.
    pub client: &'a Client,
    /// Where subgraphs are, by name.
    pub endpoints: &'a HashMap<String, Endpoint>,
    /// What travels on.
    pub forwarded: &'a Forwarded,
    /// When nobody waits for the answers any more.
    pub until: Instant,
    /// Whether calls rather wait for their turn than be refused: those of an event, which is not asked for again.
    pub patient: bool,
}

impl Subgraphs for Calls<'_> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        let answer = match self.endpoints.get(call.subgraph) {
            Some(endpoint) => self.guarded(endpoint, &call.body).make(call.kind).await,
            None => Err(SubgraphError::NoAddress),
        };
        answer.map_err(|error| self.report(call.subgraph, &error))
    }

    fn regret(&self, subgraph: &str) {
        if let Some(endpoint) = self.endpoints.get(subgraph) {
            endpoint.regret();
        }
    }
}

impl Calls<'_> {
    fn guarded<'b>(&'b self, endpoint: &'b Endpoint, body: &'b [u8]) -> GuardedCall<'b> {
        GuardedCall {
            client: self.client,
            endpoint,
            forwarded: self.forwarded,
            body,
            until: self.until,
            patient: self.patient,
        }
    }

    /// Opens the subscription that `call` describes.
    pub async fn open(
        &self,
        call: SubgraphCall<'_>,
        settings: &SubscriptionsConfig,
    ) -> Result<Upstream, CallError> {
        let opened = match self.endpoints.get(call.subgraph) {
            Some(endpoint) => {
                let opening = Upstream::open(self.client, endpoint, settings, self.forwarded, &call.body);
                endpoint.open(opening).await
            }
            None => Err(SubgraphError::NoAddress),
        };
        opened.map_err(|error| self.report(call.subgraph, &error))
    }

    /// The whole error goes to the log, what may be known to the client.
    fn report(&self, subgraph: &str, error: &SubgraphError) -> CallError {
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

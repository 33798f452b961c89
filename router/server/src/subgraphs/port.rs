//! The executor's [`Subgraphs`] port for one request: its headers, and the endpoints of its snapshot.

use std::collections::HashMap;

use baedal_executor::{CallError, SubgraphCall, Subgraphs};
use baedal_planner::plan::OperationKind;
use bytes::Bytes;

use super::{Client, Endpoint, Repeat, SubgraphError, Upstream};
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
}

impl Subgraphs for Calls<'_> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        let answer = match self.endpoints.get(call.subgraph) {
            Some(endpoint) => {
                let repeat = match call.kind {
                    OperationKind::Query => Repeat::Once,
                    _ => Repeat::Never,
                };
                self.client
                    .post(endpoint, self.forwarded, &call.body, repeat)
                    .await
            }
            None => Err(SubgraphError::NoAddress),
        };
        answer.map_err(|error| self.report(call.subgraph, &error))
    }
}

impl Calls<'_> {
    /// Opens the subscription that `call` describes.
    pub async fn open(
        &self,
        call: SubgraphCall<'_>,
        settings: &SubscriptionsConfig,
    ) -> Result<Upstream, CallError> {
        let opened = match self.endpoints.get(call.subgraph) {
            Some(endpoint) => {
                Upstream::open(self.client, endpoint, settings, self.forwarded, &call.body).await
            }
            None => Err(SubgraphError::NoAddress),
        };
        opened.map_err(|error| self.report(call.subgraph, &error))
    }

    /// The whole error goes to the log, what may be known to the client.
    fn report(&self, subgraph: &str, error: &SubgraphError) -> CallError {
        tracing::warn!(subgraph, %error, request_id = self.forwarded.request_id(), "a subgraph call failed");
        CallError::new(error.code(), error.for_client(subgraph))
    }
}

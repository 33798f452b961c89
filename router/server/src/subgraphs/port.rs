//! The executor's [`Subgraphs`] port for one request: its headers, and the endpoints of its snapshot.

use std::collections::HashMap;

use baedal_executor::{CallError, SubgraphCall, Subgraphs};
use bytes::Bytes;
use http::HeaderMap;

use super::{Client, Endpoint, SubgraphError, Upstream};
use crate::config::SubscriptionsConfig;
use crate::forward::{self, REQUEST_ID};

/// Calls on behalf of one request.
#[derive(Clone, Copy)]
pub struct Calls<'a> {
    /// The pool.
    pub client: &'a Client,
    /// Where subgraphs are, by name.
    pub endpoints: &'a HashMap<String, Endpoint>,
    /// What travels on.
    pub headers: &'a HeaderMap,
}

impl Subgraphs for Calls<'_> {
    async fn call(&self, call: SubgraphCall<'_>) -> Result<Bytes, CallError> {
        let answer = match self.endpoints.get(call.subgraph) {
            Some(endpoint) => self.client.post(endpoint, self.headers, call.body).await,
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
            Some(endpoint) => Upstream::open(self.client, endpoint, settings, self.headers, &call.body).await,
            None => Err(SubgraphError::NoAddress),
        };
        opened.map_err(|error| self.report(call.subgraph, &error))
    }

    /// The whole error goes to the log, what may be known to the client.
    fn report(&self, subgraph: &str, error: &SubgraphError) -> CallError {
        tracing::warn!(subgraph, %error, request_id = forward::text(self.headers.get(REQUEST_ID)), "a subgraph call failed");
        CallError::new(error.code(), error.for_client(subgraph))
    }
}

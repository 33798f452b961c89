//! A call with files: a request of the same kind as the client's, streamed on a connection of its own.
//!
//! It goes behind the subgraph's circuit breaker, but takes no place of a call and has the time of the whole request: how
//! long it takes is the client's doing. For that the subgraph is not blamed, either.

use std::time::Duration;

use baedal_executor::CallError;
use baedal_traffic::{Outcome, Rejected};
use bytes::{Bytes, BytesMut};
use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, RETRY_AFTER};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use tokio::time::Instant;

use super::client::{self, Reply};
use super::{ACCEPTED, Calls, Endpoint, Place, SubgraphError};
use crate::upload::Outgoing;

/// Says that no web page has sent this: servers that guard against forged requests ask for it with such a body.
const PREFLIGHT: &str = "apollo-require-preflight";

impl Calls<'_> {
    /// Makes the call.
    pub async fn upload(&self, subgraph: &str, outgoing: Outgoing) -> Result<Bytes, CallError> {
        let (start, endpoint) = (Instant::now(), self.endpoint(subgraph));
        let answer = match endpoint {
            Some(endpoint) => self.guarded_upload(endpoint, outgoing).await,
            None => Err(SubgraphError::NoAddress),
        };
        if let (true, Ok(body)) = (self.masks, &answer) {
            self.log_masked(subgraph, body);
        }
        let code = answer.as_ref().err().map(SubgraphError::code);
        self.observer.called(subgraph, endpoint, code, start.elapsed());
        answer.map_err(|error| self.report(subgraph, &error))
    }

    async fn guarded_upload(&self, endpoint: &Endpoint, outgoing: Outgoing) -> Result<Bytes, SubgraphError> {
        let open = |Rejected { retry_after }| SubgraphError::CircuitOpen(retry_after);
        let pass = endpoint.guard.layers.breaker().enter().map_err(open)?;
        let pick = endpoint.guard.rotation.pick().map_err(open)?;
        let progress = outgoing.progress();
        let within = self.until.saturating_duration_since(Instant::now());
        let posting = self.post_files(&endpoint.places[pick.index], outgoing);
        let reply = tokio::time::timeout_at(self.until, posting).await;
        let reply = reply.unwrap_or(Err(SubgraphError::Timeout(within)));
        let outcome = match &reply {
            Ok(reply) if reply.status.is_server_error() => Outcome::Failure,
            Ok(_) => Outcome::Success,
            // The client had not sent all of it.
            Err(_) if !progress.is_over() => Outcome::Abandoned,
            Err(error) if error.is_failure() => Outcome::Failure,
            Err(_) => Outcome::Success,
        };
        pick.finish(outcome);
        pass.finish(outcome);
        reply.map(|reply| reply.body)
    }

    async fn post_files(&self, place: &Place, outgoing: Outgoing) -> Result<Reply, SubgraphError> {
        let unreachable = |error: &dyn std::fmt::Display| SubgraphError::Unreachable(error.to_string());
        let request = self.request(place, outgoing)?;
        let stream = self.client.open(&place.url, &place.ways, false).await?;
        let shaken = http1::handshake(stream).await;
        let (mut sender, connection) = shaken.map_err(|error| unreachable(&error))?;
        // The connection is driven here, so that it ends with the call.
        let answering = async {
            let answer = sender.send_request(request).await;
            let answer = answer.map_err(|error| unreachable(&error))?;
            let (head, body) = answer.into_parts();
            let body = whole(body, self.client.response_bytes()).await?;
            let retry_after = head
                .headers
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.parse().ok().map(Duration::from_secs));
            client::graphql_reply(head.status, body, retry_after)
        };
        let mut answering = std::pin::pin!(answering);
        tokio::select! {
            reply = &mut answering => reply,
            // What it has brought is still read.
            _ended = connection => answering.await,
        }
    }

    fn request(&self, place: &Place, outgoing: Outgoing) -> Result<Request<Outgoing>, SubgraphError> {
        let mut request = Request::post(client::target(&place.url))
            .header(HOST, client::authority(&place.url))
            .header(CONTENT_TYPE, outgoing.content_type())
            .header(ACCEPT, ACCEPTED)
            .header(PREFLIGHT, "true")
            .body(outgoing)
            .map_err(|error| SubgraphError::Unreachable(error.to_string()))?;
        let ways = &place.ways;
        let fixed = ways.inserted.iter().cloned();
        // Its body is not known before it is sent.
        let signature = ways.signature("POST", &place.url, None);
        for (name, value) in fixed.chain(self.forwarded.fields(&ways.name)).chain(signature) {
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }
}

async fn whole(mut body: Incoming, limit: usize) -> Result<Bytes, SubgraphError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| SubgraphError::Unreachable(error.to_string()))?;
        let data = frame.into_data().unwrap_or_default();
        if whole.len() + data.len() > limit {
            return Err(SubgraphError::TooLarge(limit));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

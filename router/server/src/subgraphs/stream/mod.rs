//! Subscriptions of subgraphs, by the protocol that each speaks.

mod http;
mod reader;
mod socket;

use ::http::Uri;
use ::http::uri::Scheme;
use bytes::Bytes;

use self::http::HttpStream;
use self::socket::SocketStream;
use super::{Client, Endpoint, SubgraphError};
use crate::config::{StreamProtocol, SubscriptionsConfig};
use crate::forward::Forwarded;

/// A subscription under way.
pub enum Upstream {
    /// On a WebSocket.
    Socket(Box<SocketStream>),
    /// As an answer that goes on.
    Http(Box<HttpStream>),
}

/// What a subscription brings.
#[derive(Debug, PartialEq)]
pub enum UpstreamItem {
    /// A GraphQL response.
    Event(Bytes),
    /// The subgraph refuses the operation: JSON that should be an array of errors.
    Refused(Bytes),
    /// The end, as the subgraph says.
    Complete,
    /// The connection broke, fell silent or made no sense.
    Lost(String),
}

impl Upstream {
    /// Connects and subscribes. `body` is the whole JSON request.
    pub async fn open(
        client: &Client,
        endpoint: &Endpoint,
        settings: &SubscriptionsConfig,
        forwarded: &Forwarded,
        body: &Bytes,
    ) -> Result<Upstream, SubgraphError> {
        if endpoint.stream_protocol == StreamProtocol::GraphqlWs {
            let opening = SocketStream::open(client, endpoint, settings, forwarded, body);
            return Ok(Upstream::Socket(Box::new(opening.await?)));
        }
        let opening = HttpStream::open(client, endpoint, forwarded, body.clone());
        let limit = settings.connect_timeout;
        let opened = tokio::time::timeout(limit, opening).await;
        let opened = opened.unwrap_or(Err(SubgraphError::Timeout(limit)))?;
        Ok(Upstream::Http(Box::new(opened)))
    }

    /// The next item. After anything but an event there is none.
    pub async fn next(&mut self) -> UpstreamItem {
        match self {
            Upstream::Socket(stream) => stream.next().await,
            Upstream::Http(stream) => stream.next().await,
        }
    }

    /// Ends the subscription from this side.
    pub async fn stop(self) {
        match self {
            Upstream::Socket(stream) => stream.stop().await,
            // Its connection is closed with it, and that is the end.
            Upstream::Http(stream) => drop(stream),
        }
    }
}

/// The URL the connector understands: the same place by http or https.
fn http_twin(url: &Uri) -> Result<Uri, SubgraphError> {
    let mut parts = url.clone().into_parts();
    parts.scheme = Some(match url.scheme_str() {
        Some("wss" | "https") => Scheme::HTTPS,
        _ => Scheme::HTTP,
    });
    Uri::from_parts(parts).map_err(|error| SubgraphError::Unreachable(error.to_string()))
}

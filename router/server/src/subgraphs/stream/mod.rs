//! Subscriptions of subgraphs, by the protocol that each speaks.

mod callback;
mod http;
pub(crate) mod reader;
mod socket;

use std::sync::Arc;

use ::http::Uri;
use ::http::uri::Scheme;
use bytes::Bytes;

use self::callback::CallbackStream;
use self::http::HttpStream;
use self::socket::SocketStream;
use super::{Client, Endpoint, SubgraphError};
use crate::bound::{BoundStream, Whereabouts};
use crate::callbacks::Callbacks;
use crate::config::{StreamProtocol, SubscriptionsConfig};
use crate::forward::Forwarded;

/// A subscription under way.
pub enum Upstream {
    /// On a WebSocket.
    Socket(Box<SocketStream>),
    /// As an answer that goes on.
    Http(Box<HttpStream>),
    /// Brought by the subgraph.
    Callback(Box<CallbackStream>),
    /// Of a broker: no subgraph is asked.
    Bound(Box<BoundStream>),
}

/// What opening one needs besides its request.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// How connections are opened.
    pub client: &'a Client,
    /// Limits of time.
    pub settings: &'a SubscriptionsConfig,
    /// What travels on.
    pub forwarded: &'a Forwarded,
    /// Where subgraphs call back, if they can.
    pub callbacks: Option<&'a Arc<Callbacks>>,
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
        endpoint: &Endpoint,
        opening: Opening<'_>,
        body: &Bytes,
    ) -> Result<Upstream, SubgraphError> {
        let limit = opening.settings.connect_timeout;
        let opened = tokio::time::timeout(limit, Upstream::open_at(endpoint, opening, body)).await;
        opened.unwrap_or(Err(SubgraphError::Timeout(limit)))
    }

    async fn open_at(
        endpoint: &Endpoint,
        opening: Opening<'_>,
        body: &Bytes,
    ) -> Result<Upstream, SubgraphError> {
        let Opening {
            client,
            settings,
            forwarded,
            callbacks,
        } = opening;
        Ok(match endpoint.stream_protocol {
            StreamProtocol::GraphqlWs => {
                let opened = SocketStream::open(client, endpoint, settings, forwarded, body).await?;
                Upstream::Socket(Box::new(opened))
            }
            StreamProtocol::Sse | StreamProtocol::Multipart => {
                let opened = HttpStream::open(client, endpoint, forwarded, body.clone()).await?;
                Upstream::Http(Box::new(opened))
            }
            StreamProtocol::Callback => {
                let opened = CallbackStream::open(client, endpoint, forwarded, body, callbacks).await?;
                Upstream::Callback(Box::new(opened))
            }
        })
    }

    /// The next item. After anything but an event there is none.
    pub async fn next(&mut self) -> UpstreamItem {
        match self {
            Upstream::Socket(stream) => stream.next().await,
            Upstream::Http(stream) => stream.next().await,
            Upstream::Callback(stream) => stream.next().await,
            Upstream::Bound(stream) => stream.next().await,
        }
    }

    /// Where it is, if another one can begin exactly there.
    pub fn whereabouts(&self) -> Option<Whereabouts> {
        match self {
            Upstream::Bound(stream) => Some(stream.position().clone()),
            _ => None,
        }
    }

    /// Ends the subscription from this side.
    pub async fn stop(self) {
        match self {
            Upstream::Socket(stream) => stream.stop().await,
            // Its connection is closed with it, and that is the end.
            Upstream::Http(stream) => drop(stream),
            // The next callback is told that nobody waits for it.
            Upstream::Callback(stream) => drop(stream),
            Upstream::Bound(stream) => drop(stream),
        }
    }
}

/// Whether JSON is a list of errors with anything in it.
fn is_errors(json: &str) -> bool {
    let inner = json.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| !inner.trim().is_empty())
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

//! The executor's port to subgraphs, over HTTP and WebSocket: pooled connections, a deadline and a size for every
//! call, and errors that tell the client which subgraph failed but not where it is.

mod client;
mod error;
mod exchange;
mod framing;
mod pool;
mod port;
mod stream;

pub use client::{Client, Repeat};
pub use error::SubgraphError;
pub use port::Calls;
pub use stream::{Upstream, UpstreamItem};

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Uri;
use url::Url;

use self::pool::Pool;
use crate::config::{StreamProtocol, SubgraphConfig, TrafficConfig};

/// What subgraphs are asked to answer with.
const ACCEPTED: &str = "application/graphql-response+json, application/json;q=0.9";

/// Where a subgraph is, and how long it may take.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its GraphQL endpoint.
    pub url: Uri,
    /// Its endpoint for subscriptions.
    pub stream_url: Uri,
    /// How they are asked for.
    pub stream_protocol: StreamProtocol,
    /// Longest time for one call.
    pub timeout: Duration,
    /// What each call begins with.
    head: Box<[u8]>,
    pool: OnceLock<Arc<Pool>>,
}

impl Endpoint {
    /// An endpoint at one URL.
    pub fn at(url: Uri, stream_url: Uri, timeout: Duration) -> Endpoint {
        let head = format!(
            "POST {} HTTP/1.1\r\n{}content-type: application/json\r\naccept: {ACCEPTED}\r\n",
            client::target(&url),
            client::host(&url)
        );
        Endpoint {
            url,
            stream_url,
            stream_protocol: StreamProtocol::default(),
            timeout,
            head: head.into_bytes().into(),
            pool: OnceLock::new(),
        }
    }

    fn head(&self) -> &[u8] {
        &self.head
    }

    /// Its unused connections; `find` is asked the first time.
    fn pool(&self, find: impl FnOnce() -> Arc<Pool>) -> &Pool {
        self.pool.get_or_init(find)
    }

    /// The endpoint at `routing_url` (from the supergraph) with what the configuration overrides.
    pub fn new(
        routing_url: &str,
        overrides: Option<&SubgraphConfig>,
        traffic: &TrafficConfig,
    ) -> Result<Endpoint, String> {
        let url = match overrides.and_then(|subgraph| subgraph.url.as_ref()) {
            Some(url) => url.clone(),
            None => Url::parse(routing_url)
                .map_err(|error| format!("its URL `{routing_url}` is not valid: {error}"))?,
        };
        if !["http", "https"].contains(&url.scheme()) {
            return Err(format!("its URL `{url}` is not http:// or https://"));
        }
        let stream = overrides
            .and_then(|subgraph| subgraph.subscription_url.as_ref())
            .unwrap_or(&url);
        let timeout = overrides
            .and_then(|subgraph| subgraph.timeout)
            .unwrap_or(traffic.timeout);
        let stream_protocol = overrides.map(|subgraph| subgraph.subscription_protocol);
        let stream_protocol = stream_protocol.unwrap_or_default();
        let stream_url = match stream_protocol {
            StreamProtocol::GraphqlWs => uri(&web_socket(stream.as_str()))?,
            StreamProtocol::Sse | StreamProtocol::Multipart => uri(stream.as_str())?,
        };
        Ok(Endpoint {
            stream_protocol,
            ..Endpoint::at(uri(url.as_str())?, stream_url, timeout)
        })
    }
}

fn uri(text: &str) -> Result<Uri, String> {
    text.parse()
        .map_err(|error| format!("its URL `{text}` is not valid: {error}"))
}

fn web_socket(url: &str) -> String {
    match url.strip_prefix("http") {
        Some(rest) => format!("ws{rest}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_made_of_the_supergraph_and_its_overrides() {
        let traffic = TrafficConfig::default();
        let plain = Endpoint::new("https://a.example/graphql", None, &traffic).expect("an endpoint");
        assert_eq!(plain.stream_url, "wss://a.example/graphql");
        let overrides = SubgraphConfig {
            url: Some("http://b.example/g".parse().expect("a URL")),
            subscription_url: Some("ws://b.example/ws".parse().expect("a URL")),
            timeout: Some(Duration::from_secs(1)),
            ..SubgraphConfig::default()
        };
        let changed = Endpoint::new("nonsense", Some(&overrides), &traffic).expect("an endpoint");
        assert_eq!(changed.url, "http://b.example/g");
        assert_eq!(changed.stream_url, "ws://b.example/ws");
        assert_eq!(changed.timeout, Duration::from_secs(1));
        assert!(Endpoint::new("", None, &traffic).is_err());
        assert!(Endpoint::new("file:///etc/passwd", None, &traffic).is_err());
    }
}

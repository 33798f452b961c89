//! The executor's port to subgraphs, over HTTP and WebSocket: pooled connections, the layers of traffic and a size for
//! every call, and errors that tell the client which subgraph failed but not where it is.

mod client;
mod connector;
mod elsewhere;
mod error;
mod exchange;
pub(crate) mod framing;
mod guarded;
mod http2;
mod pool;
mod port;
mod shared;
mod signature;
pub(crate) mod stream;
mod upload;
mod ways;

pub use client::{Client, Connector, Repeat, Reply};
pub use error::{SubgraphError, causes};
pub use guarded::GuardedCall;
pub use port::Calls;
pub use shared::SharedCalls;
pub use stream::{Opening, Upstream, UpstreamItem};
pub use ways::Ways;

use std::sync::{Arc, OnceLock};

use baedal_telemetry::metrics::Histogram;
use http::Uri;
use url::Url;

use self::pool::Pool;
use crate::config::{Http2, StreamProtocol, SubgraphConfig};
use crate::traffic::{Guard, Traffic};

/// What subgraphs are asked to answer with.
const ACCEPTED: &str = "application/graphql-response+json, application/json;q=0.9";

/// Where a subgraph is, and what stands before it.
#[derive(Clone)]
pub struct Endpoint {
    /// Its endpoint for subscriptions.
    pub stream_url: Uri,
    /// How they are asked for.
    pub stream_protocol: StreamProtocol,
    /// How it is called.
    pub ways: Ways,
    /// Where calls go: at least one place.
    places: Arc<[Place]>,
    guard: Guard,
    /// How long calls took that went well.
    meter: OnceLock<Histogram>,
}

/// One address of a subgraph.
pub struct Place {
    /// Its GraphQL endpoint.
    pub url: Uri,
    /// How it is called there.
    ways: Ways,
    /// What each call begins with.
    head: Box<[u8]>,
    pool: OnceLock<Arc<Pool>>,
    /// Its connections of HTTP/2, where that is spoken.
    multiplexed: Option<http2::Shared>,
}

impl Place {
    /// The place at this URL, called there in the usual way.
    pub fn at(url: Uri) -> Place {
        Place::by(url, Ways::default())
    }

    /// The place at this URL, called there in these ways.
    pub fn by(url: Uri, ways: Ways) -> Place {
        let head = format!(
            "POST {} HTTP/1.1\r\n{}content-type: application/json\r\naccept: {ACCEPTED}\r\n",
            client::target(&url),
            client::host(&url),
        );
        Place {
            url,
            multiplexed: (ways.http2 != Http2::Never).then(http2::Shared::new),
            head: [head.into_bytes(), ways.lines()].concat().into(),
            ways,
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
}

impl Endpoint {
    /// Its first address.
    pub fn url(&self) -> &Uri {
        &self.places[0].url
    }

    /// How long calls took that went well; `find` is asked the first time.
    pub fn meter(&self, find: impl FnOnce() -> Histogram) -> &Histogram {
        self.meter.get_or_init(find)
    }

    /// The endpoint at `routing_url` (from the supergraph) with what the configuration overrides.
    pub fn new(
        subgraph: &str,
        routing_url: &str,
        overrides: Option<&SubgraphConfig>,
        ways: Ways,
        traffic: &Traffic,
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
        let stream_protocol = overrides.map(|subgraph| subgraph.subscription_protocol);
        let stream_protocol = stream_protocol.unwrap_or_default();
        let stream_url = match stream_protocol {
            StreamProtocol::GraphqlWs => uri(&web_socket(stream.as_str()))?,
            StreamProtocol::Sse | StreamProtocol::Multipart | StreamProtocol::Callback => {
                uri(stream.as_str())?
            }
        };
        let replicas = overrides.iter().flat_map(|subgraph| &subgraph.replicas);
        let urls: Vec<String> = [&url].into_iter().chain(replicas).map(Url::to_string).collect();
        let places = urls.iter().map(|url| Ok(Place::by(uri(url)?, ways.clone())));
        Ok(Endpoint {
            stream_url,
            stream_protocol,
            places: places.collect::<Result<_, String>>()?,
            ways,
            guard: traffic.guard(subgraph, urls),
            meter: OnceLock::new(),
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
    use std::time::Duration;

    use super::*;
    use crate::config::Config;

    #[test]
    fn an_endpoint_is_made_of_the_supergraph_and_its_overrides() {
        let mut config = Config::default();
        let url = |text: &str| text.parse().expect("a URL");
        let overrides = SubgraphConfig {
            url: Some(url("http://b.example/g")),
            subscription_url: Some(url("ws://b.example/ws")),
            timeout: Some(Duration::from_secs(1)),
            replicas: vec![url("http://c.example/g")],
            ..SubgraphConfig::default()
        };
        config.subgraphs.insert("b".to_owned(), overrides);
        let traffic = Traffic::new(&config);
        let endpoint =
            |name: &str, url| Endpoint::new(name, url, config.subgraphs.get(name), Ways::default(), &traffic);
        let plain = endpoint("a", "https://a.example/graphql").expect("an endpoint");
        assert_eq!(plain.stream_url, "wss://a.example/graphql");
        assert_eq!(plain.guard.layers.timeout(), Duration::from_secs(30));
        let changed = endpoint("b", "nonsense").expect("an endpoint");
        let urls: Vec<_> = changed.places.iter().map(|place| place.url.to_string()).collect();
        assert_eq!(urls, ["http://b.example/g", "http://c.example/g"]);
        assert_eq!(changed.stream_url, "ws://b.example/ws");
        assert_eq!(changed.guard.layers.timeout(), Duration::from_secs(1));
        let again = endpoint("b", "nonsense").expect("an endpoint");
        assert!(
            Arc::ptr_eq(&changed.guard.layers, &again.guard.layers),
            "its state lives on"
        );
        assert!(endpoint("x", "").is_err());
        assert!(endpoint("x", "file:///etc/passwd").is_err());
    }
}

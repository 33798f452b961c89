//! The gateway inside another program: as it is, or with layers at its two ends.
//!
//! ```text
//! client → endpoint layers → the corridor → subgraph layers → subgraph
//! ```
//!
//! A layer is one of [`tower`](https://docs.rs/tower), so that most of what it and its kin have can be used. Where there
//! is no layer, nothing is wrapped: requests and calls take the way they take in the binary.

mod endpoint;
mod subgraph;

pub use endpoint::HttpService;
pub use subgraph::{SubgraphCall, SubgraphService};

pub(crate) use endpoint::wrapped;
pub(crate) use subgraph::{Wanted, call, stream};

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{Request, Response};
use tower::{BoxError, Layer, Service};

use crate::{Config, Running, StartError};

/// A gateway that is about to start.
///
/// ```no_run
/// use baedal_router::{Builder, Config};
/// use tower::timeout::TimeoutLayer;
/// use tower::util::MapResponseLayer;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = Config::default();
/// config.subgraphs.insert(
///     "products".to_owned(),
///     baedal_router::config::SubgraphConfig::at("http://127.0.0.1:4101/graphql".parse()?),
/// );
/// let running = Builder::new(config)
///     .endpoint_layer(MapResponseLayer::new(|mut response: http::Response<_>| {
///         let name = http::HeaderValue::from_static("ours");
///         response.headers_mut().insert("x-gateway", name);
///         response
///     }))
///     .subgraph_layer(TimeoutLayer::new(std::time::Duration::from_secs(2)))
///     .start()
///     .await?;
/// println!("GraphQL at {}", running.url());
/// running.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "a gateway that is not started serves nothing"]
pub struct Builder {
    config: Config,
    layers: Layers,
}

/// What wraps a service in a layer, its type forgotten.
type Wrap<S> = Arc<dyn Fn(S) -> S + Send + Sync>;

/// The layers of one gateway.
#[derive(Clone, Default)]
pub struct Layers {
    /// Around the endpoint, the innermost first.
    endpoint: Vec<Wrap<HttpService>>,
    /// Around calls of subgraphs, if there are any.
    subgraphs: Option<SubgraphService>,
}

impl Layers {
    /// Whether requests must go through a layer.
    pub fn wrap_endpoint(&self) -> bool {
        !self.endpoint.is_empty()
    }

    /// What calls of subgraphs must go through.
    pub fn subgraphs(&self) -> Option<&SubgraphService> {
        self.subgraphs.as_ref()
    }
}

impl Builder {
    /// A gateway with this configuration.
    pub fn new(config: Config) -> Builder {
        Builder {
            config,
            layers: Layers::default(),
        }
    }

    /// Puts a layer around the GraphQL endpoint: it sees every request to `path` as it came, before anything of it is
    /// read or checked, and the answer as it goes out. WebSockets come through as upgrades. A layer that is added later
    /// is further out.
    ///
    /// The body of an answer may be of any type. An error is answered with `INTERNAL_ERROR` and logged. Health checks do
    /// not come through.
    pub fn endpoint_layer<L, B>(mut self, layer: L) -> Builder
    where
        L: Layer<HttpService> + Send + Sync + 'static,
        L::Service: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Body>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.layers
            .endpoint
            .push(Arc::new(move |inner| endpoint::boxed(layer.layer(inner))));
        self
    }

    /// Puts a layer around calls of subgraphs: queries, mutations and the fetches of an event, but not the streams of
    /// subscriptions. It sees a call once, outside of what the gateway does for it (repeats, bulkhead, circuit breaker,
    /// time limit), with the headers that travel on, and [`SubgraphCall`] among the extensions. A layer that is added
    /// later is further out.
    ///
    /// A layer may answer itself, change body and headers (those of the connection are the gateway's), or fail: then the
    /// client reads `SUBGRAPH_CALL_REFUSED`, and the log the reason. It must hand on the extensions.
    pub fn subgraph_layer<L>(mut self, layer: L) -> Builder
    where
        L: Layer<SubgraphService>,
        L::Service: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request<Bytes>>>::Error: Into<BoxError>,
        <L::Service as Service<Request<Bytes>>>::Future: Send + 'static,
    {
        let inner = self.layers.subgraphs.take().unwrap_or_else(subgraph::innermost);
        self.layers.subgraphs = Some(subgraph::boxed(layer.layer(inner)));
        self
    }

    /// Starts it: see [`crate::start`].
    pub async fn start(self) -> Result<Running, StartError> {
        crate::start_with(self.config, self.layers).await
    }
}

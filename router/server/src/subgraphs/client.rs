//! One HTTP client for everything the gateway fetches: subgraph calls, SDL, JWKS.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Endpoint, SubgraphError};
use crate::config::TrafficConfig;

/// How connections are opened: TCP with TCP_NODELAY, TLS where the URL says https.
pub type Connector = HttpsConnector<HttpConnector>;

/// What subgraphs are asked to answer with.
const ACCEPTED: HeaderValue =
    HeaderValue::from_static("application/graphql-response+json, application/json;q=0.9");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A pooling client. A clone shares the pool.
#[derive(Clone)]
pub struct Client {
    pool: legacy::Client<Connector, Full<Bytes>>,
    connector: Connector,
    response_bytes: usize,
}

impl Client {
    /// A client with empty pools.
    pub fn new(traffic: &TrafficConfig) -> Client {
        let connector = connector(traffic.connect_timeout);
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(traffic.pool_idle_timeout)
            .pool_max_idle_per_host(traffic.pool_max_idle)
            .build(connector.clone());
        Client {
            pool,
            connector,
            response_bytes: traffic.response_bytes,
        }
    }

    /// How this client opens connections.
    pub fn connector(&self) -> Connector {
        self.connector.clone()
    }

    /// The largest answer that is read.
    pub fn response_bytes(&self) -> usize {
        self.response_bytes
    }

    /// Posts a GraphQL request and reads the whole answer within the endpoint's timeout.
    pub async fn post(
        &self,
        endpoint: &Endpoint,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Bytes, SubgraphError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = endpoint.url.clone();
        *request.headers_mut() = headers.clone();
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        request.headers_mut().insert(ACCEPT, ACCEPTED);
        let (status, answer) = self.send(request, endpoint.timeout).await?;
        if !status.is_success() && !is_graphql(&answer) {
            return Err(SubgraphError::Status(status));
        }
        if answer.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(SubgraphError::Malformed("it is not a JSON object".to_owned()));
        }
        Ok(answer)
    }

    /// Gets a document, which must come with a status of success.
    pub async fn get(&self, url: &Uri, timeout: Duration) -> Result<Bytes, SubgraphError> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = url.clone();
        let (status, answer) = self.send(request, timeout).await?;
        if status.is_success() {
            Ok(answer)
        } else {
            Err(SubgraphError::Status(status))
        }
    }

    async fn send(
        &self,
        request: Request<Full<Bytes>>,
        timeout: Duration,
    ) -> Result<(StatusCode, Bytes), SubgraphError> {
        let exchange = async {
            let response = self
                .pool
                .request(request)
                .await
                .map_err(|error| unreachable(&error))?;
            let status = response.status();
            Ok((status, self.read(response).await?))
        };
        tokio::time::timeout(timeout, exchange)
            .await
            .unwrap_or(Err(SubgraphError::Timeout(timeout)))
    }

    /// Reads frame by frame, and stops at the limit, whatever the length header said.
    async fn read(&self, response: Response<Incoming>) -> Result<Bytes, SubgraphError> {
        let limit = self.response_bytes;
        let too_large = || SubgraphError::TooLarge(limit);
        let mut body = response.into_body();
        if body.size_hint().lower() > limit as u64 {
            return Err(too_large());
        }
        let mut first: Option<Bytes> = None;
        let mut rest = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| SubgraphError::Unreachable(causes(&error)))?;
            let Ok(data) = frame.into_data() else { continue };
            if first.as_ref().map_or(0, Bytes::len) + rest.len() + data.len() > limit {
                return Err(too_large());
            }
            match &first {
                None => first = Some(data),
                Some(_) => rest.extend_from_slice(&data),
            }
        }
        let first = first.unwrap_or_default();
        if rest.is_empty() {
            return Ok(first);
        }
        Ok([&first[..], &rest[..]].concat().into())
    }
}

fn connector(connect_timeout: Duration) -> Connector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect_timeout));
    tcp.set_keepalive(Some(Duration::from_secs(60)));
    tcp.enforce_http(false);
    let provider = rustls::crypto::ring::default_provider();
    let builder = match HttpsConnectorBuilder::new().with_provider_and_native_roots(provider.clone()) {
        Ok(builder) => builder,
        Err(error) => {
            tracing::warn!(%error, "this system has no certificates: calls by https:// will fail, http:// works");
            HttpsConnectorBuilder::new().with_tls_config(trust_nobody(provider))
        }
    };
    builder.https_or_http().enable_http1().wrap_connector(tcp)
}

fn trust_nobody(provider: rustls::crypto::CryptoProvider) -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("the provider has the default protocol versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth()
}

/// Whether an answer with an error status is still a GraphQL response.
fn is_graphql(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        data: Option<IgnoredAny>,
        errors: Option<Vec<IgnoredAny>>,
    }
    serde_json::from_slice::<Probe>(body).is_ok_and(|probe| probe.data.is_some() || probe.errors.is_some())
}

fn unreachable(error: &legacy::Error) -> SubgraphError {
    SubgraphError::Unreachable(causes(error))
}

/// An error with all its causes; hyper's own text stops at "client error (Connect)".
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

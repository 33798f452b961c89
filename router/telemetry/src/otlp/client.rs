//! The line to the collector.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::trace::Settings;

/// What the collector said, or why it said nothing.
pub enum Outcome {
    /// It has them.
    Taken,
    /// It may take them later.
    Later(String),
    /// It never will.
    Refused(String),
}

/// A client of one collector.
pub struct Client {
    pool: Pool<HttpsConnector<HttpConnector>, Full<Bytes>>,
    settings: Settings,
}

impl Client {
    pub fn new(settings: Settings) -> Client {
        Client {
            pool: Pool::builder(TokioExecutor::new())
                .pool_idle_timeout(Duration::from_secs(30))
                .build(connector()),
            settings,
        }
    }

    /// Sends one request.
    pub async fn send(&self, body: Bytes) -> Outcome {
        let mut request = Request::post(self.settings.endpoint.clone())
            .body(Full::new(body))
            .expect("an address and a body make a request");
        let headers = request.headers_mut();
        headers.extend(self.settings.headers.iter().cloned());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        let sending = async {
            let answer = self.pool.request(request).await.map_err(|error| causes(&error))?;
            let status = answer.status();
            // Read to its end, so that the connection can be used again.
            let _ = answer.into_body().collect().await;
            Ok(status)
        };
        match tokio::time::timeout(self.settings.timeout, sending).await {
            Ok(Ok(status)) => judge(status),
            Ok(Err(why)) => Outcome::Later(why),
            Err(_) => Outcome::Later(format!("no answer within {:?}", self.settings.timeout)),
        }
    }
}

/// Which failures pass: <https://opentelemetry.io/docs/specs/otlp/#failures-1>
fn judge(status: StatusCode) -> Outcome {
    match status.as_u16() {
        200..=299 => Outcome::Taken,
        429 | 502 | 503 | 504 => Outcome::Later(format!("HTTP status {status}")),
        _ => Outcome::Refused(format!("HTTP status {status}")),
    }
}

fn connector() -> HttpsConnector<HttpConnector> {
    let provider = rustls::crypto::ring::default_provider();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    let builder = match HttpsConnectorBuilder::new().with_provider_and_native_roots(provider.clone()) {
        Ok(builder) => builder,
        // A system without certificates: traces over http:// still work.
        Err(_) => {
            let trusting_nobody = rustls::ClientConfig::builder_with_provider(provider.into())
                .with_safe_default_protocol_versions()
                .expect("the provider has the default protocol versions")
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
            HttpsConnectorBuilder::new().with_tls_config(trusting_nobody)
        }
    };
    builder.https_or_http().enable_http1().wrap_connector(tcp)
}

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

//! Sections `metrics`, `traces` and `log`: what the gateway tells about itself.

use std::net::SocketAddr;
use std::time::Duration;

use baedal_telemetry::trace::Sampler;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ConfigError;
use super::span::MaybeSpan;

/// Metrics for Prometheus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Where `/metrics` is served, with health checks beside it. Absent: nowhere.
    pub listen: Option<SocketAddr>,
    /// Operation names told apart; all others count as `other`.
    pub operations: usize,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        MetricsConfig {
            listen: None,
            operations: 200,
        }
    }
}

/// Traces for an OpenTelemetry collector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TracesConfig {
    /// Where a collector takes OTLP over HTTP. Absent: as `OTEL_EXPORTER_OTLP_ENDPOINT` and its kin say, if they do.
    pub endpoint: Option<Url>,
    /// The share of traces that begin at the gateway and are kept, 0 to 1.
    pub ratio: f64,
    /// Whether a client that sends `traceparent` decides whether its trace is kept.
    pub follow_clients: bool,
}

impl Default for TracesConfig {
    fn default() -> Self {
        TracesConfig {
            endpoint: None,
            ratio: 1.0,
            follow_clients: true,
        }
    }
}

impl TracesConfig {
    /// Which traces are kept.
    pub fn sampler(&self) -> Sampler {
        Sampler {
            ratio: self.ratio,
            parent: self.follow_clients,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(0.0..=1.0).contains(&self.ratio) {
            return Err(ConfigError::value("traces.ratio", "must lie between 0 and 1"));
        }
        match &self.endpoint {
            Some(url) if !["http", "https"].contains(&url.scheme()) => Err(ConfigError::value(
                "traces.endpoint",
                "must start with http:// or https://, e.g. http://localhost:4318",
            )),
            _ => Ok(()),
        }
    }
}

/// What is logged of requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Whether each request has a line.
    pub access: bool,
    /// Requests that take longer are logged with their plan. Absent: none.
    #[serde(with = "MaybeSpan")]
    pub slow: Option<Duration>,
}

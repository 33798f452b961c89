//! `subscriptions.callback`: where subgraphs send the events of subscriptions that are asked for by callback.

use std::net::SocketAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ConfigError;
use super::span::Span;

/// Callbacks of subgraphs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackConfig {
    /// Where subgraphs reach this very process: the id of a subscription is appended to it. With several gateways each
    /// has its own, e.g. `http://${env.POD_IP}:4000/callback`.
    pub public_url: Url,
    /// An address of its own to listen on for callbacks. Absent: they come to `listen`.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// The path they come to.
    #[serde(default = "path")]
    pub path: String,
    /// How often a subgraph must say that a subscription is still served; one that is silent for three of these is
    /// lost. `0s`: never.
    #[serde(default = "heartbeat", with = "Span")]
    pub heartbeat: Duration,
}

/// More often would be work for nothing.
const SHORTEST_HEARTBEAT: Duration = Duration::from_millis(100);

fn path() -> String {
    "/callback".to_owned()
}

fn heartbeat() -> Duration {
    Duration::from_secs(5)
}

impl CallbackConfig {
    /// Callbacks to this URL, with defaults.
    pub fn at(public_url: Url) -> CallbackConfig {
        CallbackConfig {
            public_url,
            listen: None,
            path: path(),
            heartbeat: heartbeat(),
        }
    }

    /// `endpoint` is the path of the GraphQL endpoint.
    pub(super) fn check(&self, endpoint: &str) -> Result<(), ConfigError> {
        let refuse =
            |key: &str, why: &str| Err(ConfigError::value(&format!("subscriptions.callback.{key}"), why));
        let url = &self.public_url;
        if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
            return refuse("public_url", "must be an http:// or https:// URL");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("public_url", "must have no query and no fragment");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
        let path = self.path.as_str();
        if !path.starts_with('/') || path.ends_with('/') || !path.chars().all(plain) {
            return refuse(
                "path",
                "must start with /, not end with it, and hold letters, digits and -_.~ only",
            );
        }
        if path == "/health" || path.starts_with("/health/") || path == endpoint {
            return refuse("path", "is taken: choose another than `path` and /health");
        }
        if self.heartbeat > Duration::ZERO && self.heartbeat < SHORTEST_HEARTBEAT {
            return refuse("heartbeat", "must be at least 100ms, or 0s for none");
        }
        Ok(())
    }
}

//! Section `connections`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::span::Span;

/// Connections of clients: how many, and how long one may be slow or silent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionsConfig {
    /// How many there may be; more are closed at once. 0: any number.
    pub max: usize,
    /// How many from one address (of IPv6 the first 64 bits). 0: any number, as behind a proxy.
    pub max_per_address: usize,
    /// Longest time for the TLS handshake, and for the head of a request from its first byte on.
    #[serde(with = "Span")]
    pub head_timeout: Duration,
    /// How long a connection of HTTP/1.1 is kept between requests. Longer than a proxy in front keeps its own, so that
    /// none is closed as a request comes.
    #[serde(with = "Span")]
    pub idle_timeout: Duration,
    /// How long a client may read nothing of what waits for it.
    #[serde(with = "Span")]
    pub write_timeout: Duration,
    /// Requests under way on one connection of HTTP/2.
    pub http2_streams: u32,
}

impl Default for ConnectionsConfig {
    fn default() -> Self {
        ConnectionsConfig {
            max: 131_072,
            max_per_address: 0,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            http2_streams: 250,
        }
    }
}

impl ConnectionsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, time) in [
            ("connections.head_timeout", self.head_timeout),
            ("connections.idle_timeout", self.idle_timeout),
            ("connections.write_timeout", self.write_timeout),
        ] {
            if time.is_zero() {
                return Err(ConfigError::value(key, "must be longer than no time, e.g. 30s"));
            }
        }
        match self.http2_streams {
            0 => Err(ConfigError::value(
                "connections.http2_streams",
                "must be at least 1",
            )),
            _ => Ok(()),
        }
    }
}

//! Section `tls`, and `tls` of a subgraph.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// TLS (1.2 and 1.3) on the listening side, with HTTP/2 and HTTP/1.1 by ALPN. Files are PEM, and read again when they
/// change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The certificate, then those that vouch for it.
    #[schemars(extend("format" = "path"))]
    pub certificate: PathBuf,
    /// Its private key: PKCS#8, PKCS#1 or SEC1, not encrypted.
    #[schemars(extend("format" = "path"))]
    pub key: PathBuf,
    /// Certificates of clients. Absent: none are asked for.
    #[serde(default)]
    pub client_auth: Option<ClientAuthConfig>,
}

/// Certificates of clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientAuthConfig {
    /// The CA that signs them.
    #[schemars(extend("format" = "path"))]
    pub ca: PathBuf,
    /// Whether a client without one is refused.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether subgraphs are told of it, by the header `Client-Cert` (RFC 9440).
    #[serde(default)]
    pub forward_certificate: bool,
}

fn yes() -> bool {
    true
}

/// TLS towards one subgraph. Files are PEM, and read again when they change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubgraphTlsConfig {
    /// The CA that signs its certificate, and the only one believed. Absent: those of the system.
    #[schemars(extend("format" = "path"))]
    pub ca: Option<PathBuf>,
    /// The certificate the gateway shows, with those that vouch for it.
    #[schemars(extend("format" = "path"))]
    pub certificate: Option<PathBuf>,
    /// The private key of that.
    #[schemars(extend("format" = "path"))]
    pub key: Option<PathBuf>,
}

/// How HTTP/2 is spoken with a subgraph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Http2 {
    /// Not at all: kept connections of HTTP/1.1, which are quicker where there are enough of them.
    #[default]
    Never,
    /// Over TLS where the subgraph takes it (ALPN), else HTTP/1.1.
    Auto,
    /// Always: over TLS or refused, and without TLS by prior knowledge (h2c).
    Always,
}

impl SubgraphTlsConfig {
    pub(super) fn check(&self, subgraph: &str) -> Result<(), ConfigError> {
        let (missing, there) = match (&self.certificate, &self.key) {
            (Some(_), None) => ("key", "certificate"),
            (None, Some(_)) => ("certificate", "key"),
            _ => return Ok(()),
        };
        let key = format!("subgraphs.{subgraph}.tls.{missing}");
        let why = format!("is missing: `{there}` is there, and one is of no use without the other");
        Err(ConfigError::value(&key, &why))
    }
}

//! Sections `batching`, `apq`, `persisted_documents` and `uploads`: how requests may come.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::span::Span;

/// Several requests in one body: a JSON array.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BatchingConfig {
    /// Whether they are answered.
    pub enabled: bool,
    /// How many there may be in one body.
    pub max: usize,
    /// How many of one body are worked on at once.
    pub concurrency: usize,
}

impl Default for BatchingConfig {
    fn default() -> Self {
        BatchingConfig {
            enabled: false,
            max: 10,
            concurrency: 4,
        }
    }
}

impl BatchingConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, value) in [
            ("batching.max", self.max),
            ("batching.concurrency", self.concurrency),
        ] {
            if value == 0 {
                return Err(ConfigError::value(key, "must be at least 1"));
            }
        }
        Ok(())
    }
}

/// Automatic persisted queries: clients send the hash of a query that they have sent in full before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApqConfig {
    /// Whether hashes are taken.
    pub enabled: bool,
    /// Bytes of query texts that are kept in memory: those asked for most often and last.
    pub bytes: u64,
    /// Where they are kept besides.
    pub store: StoreKind,
    /// How long they are kept in Redis.
    #[serde(with = "Span")]
    pub ttl: Duration,
}

impl Default for ApqConfig {
    fn default() -> Self {
        ApqConfig {
            enabled: true,
            bytes: 16 * 1024 * 1024,
            store: StoreKind::Memory,
            ttl: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl ApqConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.ttl < Duration::from_secs(1) {
            true => Err(ConfigError::value("apq.ttl", "must be at least 1s")),
            false => Ok(()),
        }
    }
}

/// Where something is kept that several gateways may share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// In this process alone.
    #[default]
    Memory,
    /// In the Redis of `redis.url`, for all gateways that use it; in this process while it is away.
    Redis,
}

/// Documents that clients name instead of sending them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersistedDocumentsConfig {
    /// A manifest (of Apollo's tools or Relay's), or a folder of them; looked at every second.
    #[schemars(extend("format" = "path"))]
    pub manifest: Option<PathBuf>,
    /// Whether nothing else is taken.
    pub only: bool,
    /// Whether what is not in the manifest is logged.
    pub log_unknown: bool,
}

impl PersistedDocumentsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.manifest.is_none() && (self.only || self.log_unknown) {
            let why = "is missing: `only` and `log_unknown` need a manifest, a file or a folder";
            return Err(ConfigError::value("persisted_documents.manifest", why));
        }
        Ok(())
    }
}

/// Files in variables, by the GraphQL multipart request specification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UploadsConfig {
    /// Whether requests with files are taken.
    pub enabled: bool,
    /// Most files of one request.
    pub files: usize,
    /// Most bytes of one file.
    pub file_bytes: u64,
    /// Most bytes of all files of one request.
    pub total_bytes: u64,
    /// Longest time for a request with files, from its first byte to the subgraph's answer.
    #[serde(with = "Span")]
    pub timeout: Duration,
}

impl Default for UploadsConfig {
    fn default() -> Self {
        UploadsConfig {
            enabled: false,
            files: 10,
            file_bytes: 16 * 1024 * 1024,
            total_bytes: 64 * 1024 * 1024,
            timeout: Duration::from_secs(60),
        }
    }
}

impl UploadsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.files {
            0 => Err(ConfigError::value("uploads.files", "must be at least 1")),
            _ => Ok(()),
        }
    }
}

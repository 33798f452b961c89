//! Section `compression`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bodies that are compressed on their way, between clients and the gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CompressionConfig {
    /// Whether bodies of clients may be compressed (gzip, br, zstd, deflate). `limits.body_bytes` counts before and after
    /// unpacking.
    pub requests: bool,
    /// Whether answers are compressed for clients that accept it.
    pub answers: bool,
    /// Answers with fewer bytes go out as they are.
    pub min_bytes: usize,
    /// Whether answers that are streamed are compressed too, each event on its own. Every stream then takes the memory
    /// of a packer, some hundred KiB.
    pub streams: bool,
}

impl Default for CompressionConfig {
    fn default() -> Self {
        CompressionConfig {
            requests: true,
            answers: true,
            min_bytes: 1024,
            streams: false,
        }
    }
}

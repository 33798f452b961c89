//! Section `cache.responses`: answers of subgraphs that are kept.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use http::HeaderName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::span::{MaybeSpan, Span};
use super::{BrokerConfig, ConfigError, PurgeOnConfig, StoreKind};

/// Answers of subgraphs that are kept, for as long as they say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResponsesConfig {
    /// Whether there is such a cache.
    pub enabled: bool,
    /// Where answers are kept: here, or in Redis for all gateways with the same `redis` and the same settings here. While
    /// Redis is away nothing is kept.
    pub store: StoreKind,
    /// Bytes that the answers may take in this process, estimated. Those in Redis are bounded there.
    pub bytes: u64,
    /// The largest answer (of entities: the largest entity) that is kept.
    pub entry_bytes: usize,
    /// The longest that anything is kept, whatever a subgraph says.
    #[serde(with = "Span")]
    pub max_ttl: Duration,
    /// How long an answer is fresh of which neither its header nor @cacheControl says so. Absent: it is not kept.
    #[serde(with = "MaybeSpan")]
    pub ttl: Option<Duration>,
    /// How long after its time an answer may still be used if the subgraph cannot be reached.
    #[serde(with = "Span")]
    pub stale_if_error: Duration,
    /// Tags that one answer may have; with more it is not kept.
    pub max_tags: usize,
    /// Claims of the token that tell callers apart. None: the whole token. Needs `auth`.
    pub private_by: Vec<String>,
    /// Headers of `headers.propagate` that make no difference to what subgraphs answer; not `authorization` or `cookie`.
    pub ignored_headers: Vec<String>,
    /// What a mutation means for what was kept before it.
    pub after_mutation: AfterMutation,
    /// What differs for a subgraph, by its name.
    pub subgraphs: BTreeMap<String, SubgraphResponsesConfig>,
    /// Where what is kept can be dropped by HTTP. Absent: nowhere.
    pub purge: Option<PurgeConfig>,
    /// Records of topics that drop what is kept.
    pub purge_on: Vec<PurgeOnConfig>,
}

/// What a mutation means for answers of the subgraphs that it called, kept before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterMutation {
    /// Its caller is not given them any more; others are.
    #[default]
    Caller,
    /// They are dropped for everyone.
    Subgraph,
    /// Nothing: they are dropped by tags, or grow old.
    Keep,
}

/// What differs for one subgraph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubgraphResponsesConfig {
    /// Whether its answers are kept.
    pub enabled: bool,
    /// How long an answer of it is fresh that does not say so. Absent: `cache.responses.ttl`.
    #[serde(with = "MaybeSpan")]
    pub ttl: Option<Duration>,
    /// Whom its answers are for where they do not say so. Absent: the caller alone, if tokens or cookies travel.
    pub scope: Option<ScopeConfig>,
}

impl Default for SubgraphResponsesConfig {
    fn default() -> Self {
        SubgraphResponsesConfig {
            enabled: true,
            ttl: None,
            scope: None,
        }
    }
}

/// Whom an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScopeConfig {
    /// Everyone, whatever token came with the request.
    Public,
    /// One caller.
    Private,
}

/// Where what is kept can be dropped by HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurgeConfig {
    /// Address and port: one that clients cannot reach.
    pub listen: SocketAddr,
    /// What a request must carry as `Authorization: Bearer …`; at least 16 characters.
    #[schemars(extend("writeOnly" = true))]
    pub secret: String,
}

impl Default for ResponsesConfig {
    fn default() -> Self {
        ResponsesConfig {
            enabled: false,
            store: StoreKind::Memory,
            bytes: 64 * 1024 * 1024,
            entry_bytes: 1024 * 1024,
            max_ttl: Duration::from_secs(60 * 60),
            ttl: None,
            stale_if_error: Duration::ZERO,
            max_tags: 1_000,
            private_by: Vec::new(),
            ignored_headers: Vec::new(),
            after_mutation: AfterMutation::default(),
            subgraphs: BTreeMap::new(),
            purge: None,
            purge_on: Vec::new(),
        }
    }
}

/// The shortest secret that cannot be guessed.
const SHORTEST_SECRET: usize = 16;

impl ResponsesConfig {
    /// Whether answers of this subgraph are kept.
    pub fn keeps(&self, subgraph: &str) -> bool {
        self.enabled && self.subgraphs.get(subgraph).is_none_or(|one| one.enabled)
    }

    /// How long its answers are fresh if nothing says so.
    pub fn ttl_of(&self, subgraph: &str) -> Option<Duration> {
        self.subgraphs.get(subgraph).and_then(|one| one.ttl).or(self.ttl)
    }

    /// Whom its answers are for if they do not say so.
    pub fn scope_of(&self, subgraph: &str) -> Option<ScopeConfig> {
        self.subgraphs.get(subgraph)?.scope
    }

    /// Names of headers that make no difference. [`ResponsesConfig::check`] has refused those that are none.
    pub fn ignored(&self) -> Vec<HeaderName> {
        self.ignored_headers
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect()
    }

    /// `has_auth`: whether tokens are verified.
    pub(super) fn check(
        &self,
        has_auth: bool,
        brokers: &BTreeMap<String, BrokerConfig>,
    ) -> Result<(), ConfigError> {
        self.purge_on.iter().try_for_each(|one| one.check(brokers))?;
        let refused = |key: &str, why: &str| Err(ConfigError::value(&format!("cache.responses.{key}"), why));
        if !self.enabled {
            return Ok(());
        }
        if self.bytes == 0 || self.entry_bytes == 0 {
            return refused(
                "bytes",
                "must be at least 1, like `entry_bytes`; `enabled: false` keeps nothing",
            );
        }
        if self.max_ttl.is_zero() {
            return refused(
                "max_ttl",
                "must be longer than nothing; `enabled: false` keeps nothing",
            );
        }
        if !self.private_by.is_empty() && !has_auth {
            return refused(
                "private_by",
                "names claims of tokens, and without `auth` no token is verified: remove it, or add `auth`",
            );
        }
        for name in &self.ignored_headers {
            match name.parse::<HeaderName>() {
                Ok(name) if name == http::header::AUTHORIZATION || name == http::header::COOKIE => {
                    return refused(
                        "ignored_headers",
                        "must not name authorization or cookie: they say who asks",
                    );
                }
                Ok(_) => {}
                Err(_) => return refused("ignored_headers", &format!("`{name}` is not a header name")),
            }
        }
        match &self.purge {
            Some(purge) if purge.secret.len() < SHORTEST_SECRET => refused(
                "purge.secret",
                "must have at least 16 characters, e.g. those of `openssl rand -hex 24`",
            ),
            _ => Ok(()),
        }
    }
}

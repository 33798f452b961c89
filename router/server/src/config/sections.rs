//! The sections of the configuration file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::span::{MaybeSpan, Span};
use super::{
    ConfigError, Http2, SignConfig, StreamProtocol, SubgraphHeadersConfig, SubgraphTlsConfig,
    SubgraphTrafficConfig,
};

/// Where the supergraph comes from and how it is kept up to date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SupergraphConfig {
    /// A ready supergraph (join spec), looked at for changes. Absent, and without `url`: the `subgraphs` are composed here.
    #[schemars(extend("format" = "path"))]
    pub file: Option<PathBuf>,
    /// Where a ready supergraph is (http:// or https://); not beside `file`. It is asked for again only if it has changed
    /// (`ETag`, `Last-Modified`).
    pub url: Option<Url>,
    /// How often live subgraphs, files and URLs are looked at for changes, give or take a tenth by chance; at least
    /// `100ms`.
    #[serde(with = "Span")]
    pub poll_interval: Duration,
    /// Longest time for planning ahead of a swap what was asked of the supergraph before.
    #[serde(with = "Span")]
    pub warm_up: Duration,
    /// Folder in which the last good supergraph (`last-good.json`) is kept for a start while subgraphs are down. Absent: it
    /// is not kept.
    #[schemars(extend("format" = "path"))]
    pub state_dir: Option<PathBuf>,
    /// What is served while a subgraph has never told its SDL: the rest of the graph (`tolerate`), or no new graph
    /// (`refuse`). One that told it before is served with what it told, in both cases.
    pub absent: AbsentSubgraphs,
}

/// What is served while a subgraph has never told its SDL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbsentSubgraphs {
    /// The graph without it.
    #[default]
    Tolerate,
    /// The graph of before, if there was one.
    Refuse,
}

impl Default for SupergraphConfig {
    fn default() -> Self {
        SupergraphConfig {
            file: None,
            url: None,
            poll_interval: Duration::from_secs(10),
            warm_up: Duration::from_secs(5),
            state_dir: None,
            absent: AbsentSubgraphs::Tolerate,
        }
    }
}

/// More often would be a busy loop.
const SHORTEST_POLL: Duration = Duration::from_millis(100);

impl SupergraphConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.poll_interval < SHORTEST_POLL {
            return Err(ConfigError::value(
                "supergraph.poll_interval",
                "must be at least 100ms",
            ));
        }
        match &self.url {
            Some(_) if self.file.is_some() => Err(ConfigError::value(
                "supergraph.url",
                "has no effect beside supergraph.file; remove one of them",
            )),
            Some(url) => check_scheme("supergraph.url", url, &["http", "https"]),
            None => Ok(()),
        }
    }
}

/// One subgraph.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubgraphConfig {
    /// Where its GraphQL endpoint is (http:// or https://). Required without `supergraph.file` and `supergraph.url`, else
    /// it overrides what the supergraph says.
    pub url: Option<Url>,
    /// Whether nobody serves it: it is an SDL file that declares subscriptions which `subscriptions.bound` binds, and the
    /// types of their events.
    pub r#virtual: bool,
    /// Its SDL file; refused beside a ready supergraph. Absent: the subgraph is asked for it by `{ _service { sdl } }`.
    #[schemars(extend("format" = "path"))]
    pub sdl: Option<PathBuf>,
    /// Where its subscriptions are (ws://, wss://, http:// or https://). Absent: at `url`.
    pub subscription_url: Option<Url>,
    /// How its subscriptions are asked for.
    pub subscription_protocol: StreamProtocol,
    /// Longest time for one call; overrides `traffic.timeout`.
    #[serde(with = "MaybeSpan")]
    pub timeout: Option<Duration>,
    /// More addresses of the same subgraph: calls take turns over `url` and these, and one that fails is left out for a
    /// while.
    pub replicas: Vec<Url>,
    /// Whether it is asked for compressed answers (gzip, br, zstd). Worth it where bytes cost more than time: between
    /// data centres, not on one machine.
    pub compression: bool,
    /// Signs calls to it. Absent: they are not signed.
    pub sign: Option<SignConfig>,
    /// TLS towards it, where its URL is https://.
    pub tls: Option<SubgraphTlsConfig>,
    /// Whether HTTP/2 is spoken with it.
    pub http2: Http2,
    /// Which header fields travel to it, besides those of section `headers`.
    pub headers: SubgraphHeadersConfig,
    /// What differs here from `traffic`.
    pub traffic: SubgraphTrafficConfig,
}

impl SubgraphConfig {
    /// A live subgraph at `url`.
    pub fn at(url: Url) -> SubgraphConfig {
        SubgraphConfig {
            url: Some(url),
            ..SubgraphConfig::default()
        }
    }

    /// `ready`: the graph is a supergraph that was composed elsewhere.
    pub(super) fn check(&self, name: &str, ready: bool) -> Result<(), ConfigError> {
        let key = |field: &str| format!("subgraphs.{name}.{field}");
        if self.r#virtual {
            return self.check_virtual(&key("virtual"), ready);
        }
        match &self.url {
            None if !ready => {
                return Err(ConfigError::value(
                    &key("url"),
                    "is missing: calls need an address, e.g. http://127.0.0.1:4011/graphql",
                ));
            }
            Some(url) => check_scheme(&key("url"), url, &["http", "https"])?,
            None => {}
        }
        for url in &self.replicas {
            check_scheme(&key("replicas"), url, &["http", "https"])?;
        }
        self.traffic.check(name)?;
        self.tls.as_ref().map_or(Ok(()), |tls| tls.check(name))?;
        self.sign
            .as_ref()
            .map_or(Ok(()), |sign| sign.check(&key("sign")))?;
        if ready && self.sdl.is_some() {
            return Err(ConfigError::value(
                &key("sdl"),
                "has no effect beside supergraph.file or supergraph.url; remove one of them",
            ));
        }
        let schemes: &[&str] = match self.subscription_protocol {
            StreamProtocol::GraphqlWs => &["ws", "wss", "http", "https"],
            StreamProtocol::Sse | StreamProtocol::Multipart | StreamProtocol::Callback => &["http", "https"],
        };
        match &self.subscription_url {
            Some(url) => check_scheme(&key("subscription_url"), url, schemes),
            None => Ok(()),
        }
    }

    fn check_virtual(&self, key: &str, supergraph_file: bool) -> Result<(), ConfigError> {
        let served = self.url.is_some() || self.subscription_url.is_some() || !self.replicas.is_empty();
        match self.sdl {
            _ if served => Err(ConfigError::value(
                key,
                "and an address do not go together: nobody serves it",
            )),
            None if !supergraph_file => {
                Err(ConfigError::value(key, "needs `sdl`, the file that declares it"))
            }
            Some(_) if supergraph_file => Err(ConfigError::value(
                key,
                "with `sdl` has no effect beside supergraph.file; remove `sdl`",
            )),
            _ => Ok(()),
        }
    }
}

/// Guard against cross-site request forgery: a request a browser would send without asking first is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsrfConfig {
    /// Whether the guard is on. Off, any web page can make a browser send queries.
    pub enabled: bool,
    /// A GET request needs one of these (or a content type no form can send).
    pub required_headers: Vec<String>,
}

impl Default for CsrfConfig {
    fn default() -> Self {
        let names = [
            "graphql-require-preflight",
            "apollo-require-preflight",
            "x-apollo-operation-name",
        ];
        CsrfConfig {
            enabled: true,
            required_headers: names.map(str::to_owned).to_vec(),
        }
    }
}

/// Errors that subgraphs report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorsConfig {
    /// Whether texts and codes of errors in answers, events and refused subscriptions of subgraphs are replaced by fixed
    /// ones (`SUBGRAPH_ERROR`), and all other extensions dropped; `extensions.requestId` says under which id the log has
    /// them in full.
    pub mask_subgraphs: bool,
    /// Which extensions of such errors clients see besides `code`; `[]` for none. Absent: all but `stacktrace` and
    /// `exception`.
    pub extensions: Option<Arc<[String]>>,
    /// Whether `extensions.service` names the subgraph.
    pub name_subgraphs: bool,
}

impl Default for ErrorsConfig {
    fn default() -> Self {
        ErrorsConfig {
            mask_subgraphs: false,
            extensions: None,
            name_subgraphs: true,
        }
    }
}

/// `__schema` and `__type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IntrospectionConfig {
    /// Whether clients may read the schema. Off, error messages do not suggest names either.
    pub enabled: bool,
}

impl Default for IntrospectionConfig {
    fn default() -> Self {
        IntrospectionConfig { enabled: true }
    }
}

fn check_scheme(key: &str, url: &Url, allowed: &[&str]) -> Result<(), ConfigError> {
    if allowed.contains(&url.scheme()) && url.has_host() {
        return Ok(());
    }
    Err(ConfigError::value(
        key,
        &format!("must start with {}://", allowed.join(":// or ")),
    ))
}

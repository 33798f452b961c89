//! Configuration: one YAML file, one struct per section, every key known and documented.
//!
//! [`Layers`] loads files (environment expanded, later ones on top of earlier ones) and tells everything that is wrong
//! with them at once; [`Config::check`] says what cannot work before anything is started. The JSON Schema
//! ([`schema()`]), the table of all keys in the documentation and what `config print` shows are made of the same types: a
//! new key needs a comment that says what it means, and nothing else (but see [`mod@schema`] for files and secrets).

mod auth;
mod brokers;
mod cache;
mod callback;
mod compression;
mod connections;
mod contract;
mod cors;
mod cost;
mod diagnose;
mod expand;
mod explain;
mod headers;
mod incremental;
mod layers;
mod limits;
mod load;
mod observe;
mod options;
mod page;
mod place;
mod policies;
mod purge_on;
mod rates;
mod redis;
mod reload;
mod requests;
mod responses;
mod schema;
mod sections;
mod shown;
mod sign;
mod span;
mod streams;
mod tls;
mod traffic;
mod yaml;

pub use auth::{AuthConfig, DISCOVERY, IssuerConfig, RevocationConfig, TokenForm};
pub use brokers::{BoundConfig, BrokerConfig, KafkaConfig, RuleConfig};
pub use cache::CacheConfig;
pub use callback::CallbackConfig;
pub use compression::CompressionConfig;
pub use connections::ConnectionsConfig;
pub use contract::{ContractConfig, NamedContractConfig};
pub use cors::CorsConfig;
pub use cost::{CostConfig, CostMode};
pub use headers::{HeadersConfig, Merge, NOT_OURS_TO_PASS, Propagation, Responded, SubgraphHeadersConfig};
pub use incremental::IncrementalConfig;
pub use layers::Layers;
pub use limits::LimitsConfig;
pub use load::{ConfigError, Problem, parse, read};
pub use observe::{LogConfig, MetricsConfig, TracesConfig};
pub use options::table as options_table;
pub use page::{LoginConfig, PageConfig, is_safe};
pub use policies::PolicyRule;
pub use purge_on::{DropConfig, PurgeOnConfig};
pub use rates::{ClientRateConfig, ForEach, OperationRateConfig, RateConfig, RateLimitsConfig};
pub use redis::RedisConfig;
pub use requests::{ApqConfig, BatchingConfig, PersistedDocumentsConfig, StoreKind, UploadsConfig};
pub use responses::{AfterMutation, PurgeConfig, ResponsesConfig, ScopeConfig, SubgraphResponsesConfig};
pub use schema::schema;
pub use sections::{
    AbsentSubgraphs, CsrfConfig, ErrorsConfig, IntrospectionConfig, SubgraphConfig, SupergraphConfig,
};
pub use sign::SignConfig;
pub use streams::{Reconnect, StreamProtocol, SubscriptionsConfig, WebSocketConfig};
pub use tls::{ClientAuthConfig, Http2, SubgraphTlsConfig, TlsConfig};
pub use traffic::{
    AdaptiveConfig, BreakerConfig, BulkheadConfig, RetryConfig, SubgraphTrafficConfig, TrafficConfig,
};

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everything the gateway can be told. Every section has working defaults; only the graph must be named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The files this was read from, if they are to be followed while serving.
    #[serde(skip)]
    pub followed: Option<Layers>,
    /// Whether files that cannot be used yet are waited for, as live subgraphs are.
    #[serde(skip)]
    pub patient: bool,
    /// The name of the contract that this is served with, of `contracts`.
    #[serde(skip)]
    pub serving: Option<String>,
    /// Address and port to listen on, e.g. `0.0.0.0:4000`. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// TLS on the listening side. Absent: none.
    pub tls: Option<TlsConfig>,
    /// Connections of clients.
    pub connections: ConnectionsConfig,
    /// Path of the GraphQL endpoint, for HTTP and WebSocket: letters, digits and `/-_.~`; not `/health` or below it.
    pub path: String,
    /// Where the supergraph comes from and how it is kept up to date.
    pub supergraph: SupergraphConfig,
    /// Subgraphs by name: composed here, or (with `supergraph.file`) overrides of what the file says.
    pub subgraphs: BTreeMap<String, SubgraphConfig>,
    /// Named labels of `@override(label:)` that are active. `percent(n)` labels are active for that share of the requests
    /// without being named here, and always when named.
    pub override_labels: BTreeSet<String>,
    /// Which variant of the graph is served, by `@tag`. Absent: all of it.
    pub contract: Option<ContractConfig>,
    /// More variants of the graph, each at a path of its own, with its own public schema, introspection and plans.
    /// Subgraphs, their connections and their layers of traffic are shared.
    pub contracts: Vec<NamedContractConfig>,
    /// Who may come in. Absent: the gateway is open to everyone.
    pub auth: Option<AuthConfig>,
    /// The largest request that is answered.
    pub limits: LimitsConfig,
    /// Operations and plans that are kept.
    pub cache: CacheConfig,
    /// How much comes in, and calls to subgraphs.
    pub traffic: TrafficConfig,
    /// Several requests in one body.
    pub batching: BatchingConfig,
    /// Queries that clients name by their hash.
    pub apq: ApqConfig,
    /// Documents that clients name instead of sending them.
    pub persisted_documents: PersistedDocumentsConfig,
    /// Files in variables.
    pub uploads: UploadsConfig,
    /// A Redis or Valkey server that gateways share.
    pub redis: Option<RedisConfig>,
    /// Which header fields travel, to subgraphs and back.
    pub headers: HeadersConfig,
    /// Guard against cross-site request forgery.
    pub csrf: CsrfConfig,
    /// Which web pages of other origins may use the gateway.
    pub cors: CorsConfig,
    /// Bodies that are compressed between clients and the gateway.
    pub compression: CompressionConfig,
    /// Errors that subgraphs report.
    pub errors: ErrorsConfig,
    /// `__schema` and `__type`.
    pub introspection: IntrospectionConfig,
    /// Brokers whose topics subscriptions are bound to, by name.
    pub brokers: BTreeMap<String, BrokerConfig>,
    /// The page for browsers.
    pub page: PageConfig,
    /// Answers in parts.
    pub incremental: IncrementalConfig,
    /// Subscriptions of subgraphs.
    pub subscriptions: SubscriptionsConfig,
    /// WebSocket connections of clients.
    pub websocket: WebSocketConfig,
    /// Metrics for Prometheus.
    pub metrics: MetricsConfig,
    /// Traces for an OpenTelemetry collector.
    pub traces: TracesConfig,
    /// What is logged of requests.
    pub log: LogConfig,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            followed: None,
            patient: false,
            serving: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 4000)),
            tls: None,
            connections: ConnectionsConfig::default(),
            path: "/graphql".to_owned(),
            supergraph: SupergraphConfig::default(),
            subgraphs: BTreeMap::new(),
            override_labels: BTreeSet::new(),
            contract: None,
            contracts: Vec::new(),
            auth: None,
            limits: LimitsConfig::default(),
            cache: CacheConfig::default(),
            traffic: TrafficConfig::default(),
            batching: BatchingConfig::default(),
            apq: ApqConfig::default(),
            persisted_documents: PersistedDocumentsConfig::default(),
            uploads: UploadsConfig::default(),
            redis: None,
            headers: HeadersConfig::default(),
            csrf: CsrfConfig::default(),
            cors: CorsConfig::default(),
            compression: CompressionConfig::default(),
            errors: ErrorsConfig::default(),
            introspection: IntrospectionConfig::default(),
            brokers: BTreeMap::new(),
            page: PageConfig::default(),
            incremental: IncrementalConfig::default(),
            subscriptions: SubscriptionsConfig::default(),
            websocket: WebSocketConfig::default(),
            metrics: MetricsConfig::default(),
            traces: TracesConfig::default(),
            log: LogConfig::default(),
        }
    }
}

impl Config {
    /// Refuses what cannot work, with the key and the cure in the message.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// What cannot work, of each section the first.
    fn faults(&self) -> Vec<ConfigError> {
        let checks = [
            check_path("path", &self.path),
            self.check_sources(),
            self.supergraph.check(),
            self.contract
                .as_ref()
                .map_or(Ok(()), |contract| contract.check("contract")),
            self.check_contracts(),
            self.check_auth(),
            self.limits.check(),
            self.cache.check(self.auth.is_some(), &self.brokers),
            self.traffic.check(),
            self.cors.check(),
            self.traces.check(),
            self.page.check(),
            self.subscriptions.check(&self.path),
            self.batching.check(),
            self.apq.check(),
            self.persisted_documents.check(),
            self.uploads.check(),
            self.check_redis(),
            brokers::check(&self.brokers, &self.subscriptions.bound, self.auth.is_some()),
            self.connections.check(),
            self.check_headers(),
        ];
        checks.into_iter().filter_map(Result::err).collect()
    }

    fn check_sources(&self) -> Result<(), ConfigError> {
        let supergraph = &self.supergraph;
        let ready = supergraph.file.is_some() || supergraph.url.is_some();
        if !ready && self.subgraphs.is_empty() {
            return Err(ConfigError::NoGraph);
        }
        for (name, subgraph) in &self.subgraphs {
            subgraph.check(name, ready)?;
            let calls_back = subgraph.subscription_protocol == StreamProtocol::Callback;
            if calls_back && self.subscriptions.callback.is_none() {
                let key = format!("subgraphs.{name}.subscription_protocol");
                let why = "is `callback`: set `subscriptions.callback.public_url`, where the subgraph can reach this gateway";
                return Err(ConfigError::value(&key, why));
            }
        }
        Ok(())
    }

    fn check_auth(&self) -> Result<(), ConfigError> {
        match &self.auth {
            Some(auth) if auth.issuers.is_empty() => Err(ConfigError::value(
                "auth.issuers",
                "must name at least one issuer; remove `auth` for an open gateway",
            )),
            Some(auth) => auth.check(),
            None => Ok(()),
        }
    }
}

/// The path of an endpoint, at this key.
fn check_path(key: &str, path: &str) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
    if !path.starts_with('/') || !path.chars().all(plain) {
        return Err(ConfigError::value(
            key,
            "must start with / and hold letters, digits and -_.~ only, e.g. /graphql",
        ));
    }
    if path == "/health" || path.starts_with("/health/") {
        return Err(ConfigError::value(
            key,
            "must not be /health or below it, which answers health checks",
        ));
    }
    Ok(())
}

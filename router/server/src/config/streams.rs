//! The sections on subscriptions and the connections they come on.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::span::Span;
use super::{BoundConfig, CallbackConfig, ConfigError};

/// Subscriptions of subgraphs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SubscriptionsConfig {
    /// Longest time until a subgraph has acknowledged a connection.
    #[serde(with = "Span")]
    pub connect_timeout: Duration,
    /// A subgraph that has been silent this long is asked for a sign of life, and given up after as long again.
    #[serde(with = "Span")]
    pub idle_timeout: Duration,
    /// Whether equal subscriptions of one identity have one upstream. A client that comes later begins with the next
    /// event (or, where it gives a cursor, with a stream of its own).
    pub share: bool,
    /// The field of an event, below the subscription's root field, that says where the stream is.
    pub cursor_field: String,
    /// The argument of a subscription's root field that takes such a cursor.
    pub cursor_argument: String,
    /// Which streams go on by a new upstream when theirs is lost: those with a cursor, all (events of those without one
    /// may be missed), or none.
    pub reconnect: Reconnect,
    /// How long a stream may be without an upstream before its clients are told that it is lost.
    #[serde(with = "Span")]
    pub reconnect_timeout: Duration,
    /// Where subgraphs call back whose `subscription_protocol` is `callback`.
    pub callback: Option<CallbackConfig>,
    /// Fields whose events are the records of a topic.
    pub bound: Vec<BoundConfig>,
}

impl SubscriptionsConfig {
    /// `endpoint` is the path of the GraphQL endpoint.
    pub(super) fn check(&self, endpoint: &str) -> Result<(), ConfigError> {
        let callback = self.callback.as_ref();
        callback.map_or(Ok(()), |callback| callback.check(endpoint))
    }
}

/// How a subgraph's subscriptions are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamProtocol {
    /// A WebSocket: graphql-transport-ws.
    #[default]
    GraphqlWs,
    /// A POST, answered by server-sent events (graphql-sse, distinct connections mode).
    Sse,
    /// A POST, answered by a multipart body (`subscriptionSpec=1.0`).
    Multipart,
    /// A POST, after which the subgraph sends the events by requests of its own (`subscriptions.callback`).
    Callback,
}

/// Which streams go on by a new upstream when theirs is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reconnect {
    /// Those that can be taken up without a gap: they have a cursor, and an argument for it.
    Resumable,
    /// All. Events of a stream without a cursor may be missed.
    Always,
    /// None.
    Never,
}

impl Default for SubscriptionsConfig {
    fn default() -> Self {
        SubscriptionsConfig {
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(20),
            share: true,
            cursor_field: "cursor".to_owned(),
            cursor_argument: "after".to_owned(),
            reconnect: Reconnect::Resumable,
            reconnect_timeout: Duration::from_secs(30),
            callback: None,
            bound: Vec::new(),
        }
    }
}

/// WebSocket connections of clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebSocketConfig {
    /// Longest time until `connection_init` (close code 4408).
    #[serde(with = "Span")]
    pub init_timeout: Duration,
    /// Bytes of one message of a client.
    pub message_bytes: usize,
    /// Operations under way on one connection.
    pub max_operations: usize,
    /// Messages waiting for a slow client before its connection is closed (close code 4413).
    pub queue: usize,
    /// WebSockets and streams over HTTP of all clients; more are refused with 503 `TOO_MANY_CONNECTIONS`.
    pub max_connections: usize,
    /// WebSockets and streams over HTTP of one user: of tokens with the same `sub`.
    pub max_connections_per_user: usize,
    /// Messages of a client in one second before its connection is closed (close code 1008).
    pub messages_per_second: u32,
    /// How often a client is asked for a sign of life. One that is silent for two of these is gone.
    #[serde(with = "Span")]
    pub ping_interval: Duration,
}

impl Default for WebSocketConfig {
    fn default() -> Self {
        WebSocketConfig {
            init_timeout: Duration::from_secs(3),
            message_bytes: 1024 * 1024,
            max_operations: 100,
            queue: 256,
            max_connections: 100_000,
            max_connections_per_user: 1_000,
            messages_per_second: 1_000,
            ping_interval: Duration::from_secs(20),
        }
    }
}

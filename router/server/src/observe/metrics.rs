//! The names of what the gateway tells.

use baedal_telemetry::metrics::Metric;

use super::response_cache;

/// All of it.
pub const METRICS: [&Metric; 49] = [
    &REQUESTS,
    &IN_FLIGHT,
    &REFUSALS,
    &ERRORS,
    &SLOW,
    &ANSWER_BYTES,
    &COSTS,
    &CALLS_PER_REQUEST,
    &CALLS,
    &CALLS_SHARED,
    &BREAKER_STATE,
    &BREAKER_OPENED,
    &BREAKER_REJECTED,
    &CALLS_UNDER_WAY,
    &CALLS_WITHOUT_TURN,
    &CALLS_TIMED_OUT,
    &CALLS_RETRIED,
    &CONNECTIONS,
    &TURNED_AWAY,
    &SOCKETS,
    &SUBSCRIPTIONS,
    &CALLBACKS,
    &TOPIC_READABLE,
    &ANSWER_PARTS,
    &REVOCATIONS_READABLE,
    &REVOCATIONS,
    &RECORDS_SKIPPED,
    &CACHE_LOOKUPS,
    &CACHE_ENTRIES,
    &CACHE_BYTES,
    &response_cache::LOOKUPS,
    &response_cache::DROPPED,
    &response_cache::ENTRIES,
    &response_cache::BYTES,
    &response_cache::EVICTED,
    &READY,
    &SCHEMA,
    &RELOADS,
    &CONFIG_RELOADS,
    &SUBGRAPH_ABSENT,
    &LAG,
    &HUNG,
    &BATCHES,
    &PERSISTED_QUERIES,
    &PERSISTED_DOCUMENTS,
    &UNKNOWN_DOCUMENTS,
    &REDIS_UP,
    &REDIS_CALLS,
    &UPLOADED,
];

/// Those of [`crate::valkey`].
pub const VALKEY_METRICS: [&Metric; 2] = [&REDIS_UP, &REDIS_CALLS];
/// Those of the manifest of persisted documents.
pub const DOCUMENTS_METRICS: [&Metric; 2] = [&PERSISTED_DOCUMENTS, &UNKNOWN_DOCUMENTS];
/// That of automatic persisted queries.
pub const APQ_METRIC: &Metric = &PERSISTED_QUERIES;

/// Answered requests.
pub static REQUESTS: Metric = Metric::histogram(
    "baedal_router_request_seconds",
    &["operation", "outcome", "contract"],
    "How long requests took, by operation name; contract is that of `contracts` whose endpoint was asked, and absent for the graph at the usual path, here and elsewhere; outcome is ok, error (answered with errors) or refused; what is refused before its operation is known has the operation `none`",
);
/// Requests under way.
pub static IN_FLIGHT: Metric = Metric::gauge(
    "baedal_router_requests_in_flight",
    &[],
    "Requests that are being answered",
);
/// Refused requests.
pub static REFUSALS: Metric = Metric::counter(
    "baedal_router_refused_total",
    &["code", "contract"],
    "Requests refused before anything was executed, by error code: limits, rights, overload, bad requests",
);
/// Errors in answers.
pub static ERRORS: Metric = Metric::counter(
    "baedal_router_errors_total",
    &["code", "contract"],
    "Errors in answers, by error code",
);
/// Slow requests.
pub static SLOW: Metric = Metric::counter(
    "baedal_router_slow_total",
    &["contract"],
    "Requests that took longer than log.slow",
);
/// Sizes of answers.
pub static ANSWER_BYTES: Metric = Metric::histogram("baedal_router_answer_bytes", &[], "Bytes of answers");
/// Costs of operations.
pub static COSTS: Metric = Metric::histogram(
    "baedal_router_operation_cost",
    &[],
    "What operations may cost, as estimated before planning (limits.cost); those that are refused for it too",
);
/// Calls for one request.
pub static CALLS_PER_REQUEST: Metric = Metric::histogram(
    "baedal_router_calls_per_request",
    &[],
    "Subgraph calls that one request took",
);
/// Calls to subgraphs.
pub static CALLS: Metric = Metric::histogram(
    "baedal_router_subgraph_seconds",
    &["subgraph", "outcome"],
    "How long calls to subgraphs took; outcome is ok or the code of the error",
);
/// Calls that were not made.
pub static CALLS_SHARED: Metric = Metric::counter(
    "baedal_router_shared_calls_total",
    &["subgraph"],
    "Calls to subgraphs that were not made, as an equal one was under way (traffic.share_equal_calls)",
);
/// State of circuits.
pub static BREAKER_STATE: Metric = Metric::gauge(
    "baedal_breaker_state",
    &["target"],
    "The circuit breaker of calls to a target: 0 closed, 1 half-open, 2 open",
);
/// How often circuits opened.
pub static BREAKER_OPENED: Metric = Metric::counter(
    "baedal_breaker_opened_total",
    &["target"],
    "How often the circuit breaker has opened",
);
/// Calls that open circuits refused.
pub static BREAKER_REJECTED: Metric = Metric::counter(
    "baedal_breaker_rejected_total",
    &["target"],
    "Calls that an open circuit breaker has refused",
);
/// Calls under way.
pub static CALLS_UNDER_WAY: Metric = Metric::gauge(
    "baedal_calls_under_way",
    &["target"],
    "Calls to a target that are under way",
);
/// Calls without a turn.
pub static CALLS_WITHOUT_TURN: Metric = Metric::counter(
    "baedal_calls_without_turn_total",
    &["target"],
    "Calls that the bulkhead gave no turn in time",
);
/// Calls that took too long.
pub static CALLS_TIMED_OUT: Metric = Metric::counter(
    "baedal_calls_timed_out_total",
    &["target"],
    "Calls that took too long",
);
/// Calls made once more.
pub static CALLS_RETRIED: Metric =
    Metric::counter("baedal_calls_retried_total", &["target"], "Calls made once more");
/// Callbacks of subgraphs.
pub static CALLBACKS: Metric = Metric::counter(
    "baedal_router_callbacks_total",
    &["outcome"],
    "Callbacks of subgraphs: check, next or complete where they were taken; unknown (no such subscription, or a wrong verifier), bad (no message of the protocol), full (more events than could be used)",
);
/// Topics of bound subscriptions.
pub static TOPIC_READABLE: Metric = Metric::gauge(
    "baedal_router_topic_readable",
    &["topic", "broker"],
    "Whether a topic that subscriptions are bound to can be read: 0 while it cannot (tried only while anyone is subscribed)",
);
/// Answers in parts.
pub static ANSWER_PARTS: Metric = Metric::counter(
    "baedal_router_answer_parts_total",
    &["part"],
    "Parts of answers that came in parts (@defer, @stream): first (so many answers there were), later",
);
/// Lists of revoked tokens.
pub static REVOCATIONS_READABLE: Metric = Metric::gauge(
    "baedal_router_revocations_readable",
    &["issuer"],
    "Whether an issuer's list of revoked tokens could be read the last time: while it is 0, the list that was read before counts",
);
/// What is on them.
pub static REVOCATIONS: Metric = Metric::gauge(
    "baedal_router_revocations",
    &["issuer"],
    "Entries of an issuer's list of revoked tokens",
);
/// Records that were no events.
pub static RECORDS_SKIPPED: Metric = Metric::counter(
    "baedal_router_records_skipped_total",
    &["topic"],
    "Records of a topic that were passed over, once for each stream they were offered to: no JSON, or no object where the payload is to be",
);
/// Connections of clients.
pub static CONNECTIONS: Metric =
    Metric::gauge("baedal_router_connections", &[], "Open connections of clients");
/// Connections that were closed at once.
pub static TURNED_AWAY: Metric = Metric::counter(
    "baedal_router_connections_refused_total",
    &["reason"],
    "Connections of clients closed before a request, by reason: max, max_per_address (of `connections`), handshake, handshake_timeout",
);
/// WebSocket connections.
pub static SOCKETS: Metric = Metric::gauge(
    "baedal_router_sockets",
    &[],
    "Open WebSocket connections of clients",
);
/// Subscriptions.
pub static SUBSCRIPTIONS: Metric = Metric::gauge(
    "baedal_router_subscriptions",
    &["contract"],
    "Subscriptions of clients under way",
);
/// Lookups in caches.
pub static CACHE_LOOKUPS: Metric = Metric::counter(
    "baedal_router_cache_lookups_total",
    &["cache", "outcome", "contract"],
    "Lookups in the caches of read documents and of planned programs; outcome is hit or miss",
);
/// Entries of caches.
pub static CACHE_ENTRIES: Metric = Metric::gauge(
    "baedal_router_cache_entries",
    &["cache", "contract"],
    "Entries of the caches of read documents and of planned programs",
);
/// Bytes of caches.
pub static CACHE_BYTES: Metric = Metric::gauge(
    "baedal_router_cache_weight_bytes",
    &["cache", "contract"],
    "Estimated bytes of the cache of read documents",
);
/// Readiness.
pub static READY: Metric = Metric::gauge(
    "baedal_router_ready",
    &["state"],
    "1 for the state that /health/ready tells: ready, degraded or not_ready",
);
/// The served supergraph.
pub static SCHEMA: Metric = Metric::gauge(
    "baedal_router_schema_info",
    &["version", "origin", "contract"],
    "1 for the supergraph that is served: a hash of its text, and where it came from",
);
/// Changes of the supergraph.
pub static RELOADS: Metric = Metric::counter(
    "baedal_router_schema_reloads_total",
    &["result"],
    "New supergraphs, by result: served or refused",
);
/// Changes of the configuration.
pub static CONFIG_RELOADS: Metric = Metric::counter(
    "baedal_router_config_reloads_total",
    &["result"],
    "Changed configurations, by result: taken (but for what needs a restart) or refused",
);
/// Subgraphs that do not tell their SDL.
pub static SUBGRAPH_ABSENT: Metric = Metric::gauge(
    "baedal_router_subgraphs_absent",
    &[],
    "Subgraphs that did not tell their SDL at the last look",
);
/// Lateness of event loops.
pub static LAG: Metric = Metric::gauge(
    "baedal_event_loop_lag_seconds",
    &["loop"],
    "How much later than asked for a task of the event loop ran",
);
/// Loops that give no sign of life.
pub static HUNG: Metric = Metric::gauge(
    "baedal_hung_loops",
    &[],
    "Loops that give no sign of life; /health/live names them",
);
/// Sizes of batches.
pub static BATCHES: Metric = Metric::histogram(
    "baedal_router_batch_requests",
    &[],
    "Requests in one body, where clients send several",
);
/// Automatic persisted queries.
pub static PERSISTED_QUERIES: Metric = Metric::counter(
    "baedal_router_persisted_queries_total",
    &["outcome"],
    "Automatic persisted queries: hit (in memory), shared (in Redis), miss, kept (sent in full with its hash)",
);
/// Documents of the manifest.
pub static PERSISTED_DOCUMENTS: Metric = Metric::gauge(
    "baedal_router_persisted_documents",
    &["state"],
    "Persisted documents: loaded; unfit, which the schema refuses; refused is 1 while the files cannot be read",
);
/// Documents that are not in the manifest.
pub static UNKNOWN_DOCUMENTS: Metric = Metric::counter(
    "baedal_router_unknown_documents_total",
    &[],
    "Requests whose document is not in the manifest, with persisted_documents.only or log_unknown",
);
/// Whether Redis is there.
pub static REDIS_UP: Metric = Metric::gauge(
    "baedal_router_redis_up",
    &[],
    "1 while there is a connection to Redis",
);
/// Calls to Redis.
pub static REDIS_CALLS: Metric = Metric::counter(
    "baedal_router_redis_calls_total",
    &["outcome"],
    "Calls to Redis: ok, failed, or away (not made, as there was no connection)",
);
/// Bytes of files.
pub static UPLOADED: Metric = Metric::counter(
    "baedal_router_uploaded_bytes_total",
    &[],
    "Bytes of files that clients have sent (uploads)",
);

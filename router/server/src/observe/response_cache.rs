//! The names of what the response cache tells.

use baedal_telemetry::metrics::Metric;

/// Parts of calls looked up.
pub static LOOKUPS: Metric = Metric::counter(
    "baedal_router_response_cache_lookups_total",
    &["subgraph", "outcome"],
    "Parts of subgraph calls (an entity, or the whole of a query) looked up in the response cache; outcome is hit, miss, or stale (used because the subgraph did not answer)",
);
/// Answers dropped before their time.
pub static DROPPED: Metric = Metric::counter(
    "baedal_router_response_cache_dropped_total",
    &["by"],
    "Answers dropped from the response cache before their time, by http, event or mutation",
);
/// Entries.
pub static ENTRIES: Metric = Metric::gauge(
    "baedal_router_response_cache_entries",
    &[],
    "Entries of the response cache, marks of what is not kept among them",
);
/// Their bytes.
pub static BYTES: Metric = Metric::gauge(
    "baedal_router_response_cache_bytes",
    &[],
    "Bytes of the response cache, estimated",
);
/// Entries that had to go.
pub static EVICTED: Metric = Metric::counter(
    "baedal_router_response_cache_evicted_total",
    &[],
    "Entries of the response cache that had to go for want of room",
);

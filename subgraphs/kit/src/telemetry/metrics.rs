//! The names of what every service tells.

use baedal_telemetry::metrics::Metric;

/// Operations told apart.
pub(crate) const OPERATIONS: usize = 200;
/// Consumer groups, loops and checks told apart.
pub(crate) const FEW: usize = 50;

/// All of them.
pub const METRICS: [&Metric; 18] = [
    &REQUESTS,
    &IN_FLIGHT,
    &SOCKETS,
    &READY,
    &LAG,
    &HUNG,
    &OUTBOX_WAITING,
    &OUTBOX_OLDEST,
    &OUTBOX_PUBLISHED,
    &OUTBOX_FAILURES,
    &CONSUMER_EVENTS,
    &CONSUMER_DEAD,
    &DEAD_LETTERS,
    &CONSUMER_RETRIES,
    &CONSUMER_BATCH,
    &CONSUMER_DELAY,
    &CONSUMER_LAG,
    &GRPC,
];

/// Requests of the service's GraphQL endpoint.
pub static REQUESTS: Metric = Metric::histogram(
    "baedal_service_request_seconds",
    &["operation", "outcome"],
    "How long operations took, by kind and first root field; outcome is ok, error (answered with errors) or refused",
);
/// Requests under way.
pub static IN_FLIGHT: Metric = Metric::gauge(
    "baedal_service_requests_in_flight",
    &[],
    "Requests that are being answered",
);
/// Open sockets.
pub static SOCKETS: Metric = Metric::gauge(
    "baedal_service_sockets",
    &[],
    "Open WebSocket connections, mostly of gateways",
);
/// Readiness, by check.
pub static READY: Metric = Metric::gauge(
    "baedal_ready",
    &["check"],
    "1 while a check of /health/ready passes, else 0",
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
/// Events that are not published yet.
pub static OUTBOX_WAITING: Metric = Metric::gauge(
    "baedal_outbox_waiting",
    &[],
    "Events that are written and not yet published",
);
/// The age of the oldest of them.
pub static OUTBOX_OLDEST: Metric = Metric::gauge(
    "baedal_outbox_oldest_seconds",
    &[],
    "How long the oldest event that is not yet published has waited; 0 when none waits",
);
/// Events published.
pub static OUTBOX_PUBLISHED: Metric = Metric::counter(
    "baedal_outbox_published_total",
    &[],
    "Events of this process' relay that the event log has taken",
);
/// Attempts that failed.
pub static OUTBOX_FAILURES: Metric = Metric::counter(
    "baedal_outbox_failures_total",
    &[],
    "Attempts of the relay that failed and are repeated",
);
/// Events consumed.
pub static CONSUMER_EVENTS: Metric = Metric::counter(
    "baedal_consumer_events_total",
    &["group", "outcome"],
    "Events read; outcome is handled, skipped (not this service's business) or repeated (twice in one batch)",
);
/// Records given up.
pub static CONSUMER_DEAD: Metric = Metric::counter(
    "baedal_consumer_dead_letters_total",
    &["group"],
    "Records given up and kept in the dead-letter topic",
);
/// Records kept.
pub static DEAD_LETTERS: Metric = Metric::gauge(
    "baedal_dead_letters",
    &["service"],
    "Records given up that the service keeps until they are tried again or discarded",
);
/// Batches tried again.
pub static CONSUMER_RETRIES: Metric = Metric::counter(
    "baedal_consumer_retries_total",
    &["group"],
    "Batches that failed and were tried again",
);
/// Batches applied.
pub static CONSUMER_BATCH: Metric = Metric::histogram(
    "baedal_consumer_batch_seconds",
    &["group"],
    "How long batches of events took to be applied",
);
/// How old events were.
pub static CONSUMER_DELAY: Metric = Metric::histogram(
    "baedal_consumer_delay_seconds",
    &["group"],
    "How old events were when they had been applied, from when they happened",
);
/// Events not read yet.
pub static CONSUMER_LAG: Metric = Metric::gauge(
    "baedal_consumer_lag",
    &["group"],
    "Records in the event log that the group has not finished, over all its partitions; the same from every replica",
);
/// Calls answered by gRPC.
pub static GRPC: Metric = Metric::histogram(
    "baedal_service_grpc_seconds",
    &["method", "outcome"],
    "How long gRPC calls took to be answered; outcome is ok or error",
);

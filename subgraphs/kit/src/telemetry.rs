//! What a service tells about itself: metrics on `/metrics`, traces, signs of life on `/health/live`, logs.
//!
//! One [`Telemetry`] belongs to one service, also where several live in one process. The server, the relay and the
//! consumers each register what they know; [`trace`] carries the trace of a request or event to wherever it has effects.

pub mod metrics;
pub mod trace;

pub use baedal_telemetry::{Registry, Span, TraceContext, Tracer, metrics::Metric, trace::Kind};

use crate::rounds::Rounds;
use baedal_telemetry::{
    Vitals,
    metrics::{Buckets, Family, Gauge, Histogram},
    vitals::{LIMIT, Pulse},
};
use futures_util::future::{BoxFuture, join_all};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How long a reading may take before the page is shown without it.
const PATIENCE: Duration = Duration::from_secs(2);
/// How old readings may be: several readers of the page do not ask the store more often than this.
const FRESH: Duration = Duration::from_secs(1);
/// How long a relay or a consumer may be silent before it counts as hung: above what a store or a log may take to answer.
const LOOP_LIMIT: Duration = Duration::from_secs(30);

type Reading = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// What one service tells. Clones are the same.
#[derive(Clone)]
pub struct Telemetry {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    tracer: Tracer,
    vitals: Vitals,
    loop_limit: Duration,
    requests: Family<Histogram>,
    in_flight: Gauge,
    calls: Family<Histogram>,
    readings: Mutex<Vec<Reading>>,
    read: tokio::sync::Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

/// Starts the log of the process; see [`baedal_telemetry::logs`].
pub fn init(service: &'static str) {
    baedal_telemetry::logs::init();
    tracing::debug!(service, "logging");
}

impl Telemetry {
    /// As the environment asks for: traces go to the collector of `OTEL_EXPORTER_OTLP_ENDPOINT`, if there is one.
    pub fn of(service: &'static str) -> Telemetry {
        let registry = Registry::of_process();
        let tracer = Tracer::of_environment(service, &registry);
        Telemetry::with(registry, tracer)
    }

    /// One that nobody reads, for parts that run by themselves.
    pub fn unread() -> Telemetry {
        Telemetry::with(Registry::default(), Tracer::off())
    }

    /// With a registry and a tracer of one's own.
    pub fn with(registry: Registry, tracer: Tracer) -> Telemetry {
        let inner = Inner {
            requests: registry.histograms(&metrics::REQUESTS, Buckets::REQUESTS, metrics::OPERATIONS),
            in_flight: registry.gauge(&metrics::IN_FLIGHT),
            calls: registry.histograms(&metrics::GRPC, Buckets::REQUESTS, metrics::FEW),
            vitals: Vitals::default(),
            loop_limit: loop_limit(std::env::var("BAEDAL_HUNG_AFTER_SECONDS").ok().as_deref()),
            readings: Mutex::default(),
            read: tokio::sync::Mutex::default(),
            registry,
            tracer,
        };
        Telemetry {
            inner: Arc::new(inner),
        }
    }

    /// Where metrics are registered.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// What begins spans.
    pub fn tracer(&self) -> &Tracer {
        &self.inner.tracer
    }

    /// The pulses of the service's loops.
    pub fn vitals(&self) -> &Vitals {
        &self.inner.vitals
    }

    /// The pulse of a loop, which must beat more often than `BAEDAL_HUNG_AFTER_SECONDS` (30).
    pub fn pulse(&self, name: impl Into<String>) -> Pulse {
        self.vitals().pulse(name, self.inner.loop_limit)
    }

    /// The rounds of a background loop that rests for `every` between them. One round may take four times as long as a
    /// consumer may be silent: after an outage it has much to do.
    pub fn rounds(&self, name: &'static str, every: Duration) -> Rounds {
        let limit = self.inner.loop_limit.saturating_mul(4).saturating_add(every);
        Rounds::new(name, self.vitals().pulse(name, limit))
    }

    /// Something that takes a look each time the page is asked for, and sets gauges by what it sees.
    pub fn on_read<R>(&self, look: impl Fn() -> R + Send + Sync + 'static)
    where
        R: Future<Output = ()> + Send + 'static,
    {
        let reading: Reading = Box::new(move || Box::pin(look()));
        self.readings().push(reading);
    }

    /// The page of metrics, with fresh readings.
    pub async fn page(&self) -> String {
        let mut read = self.inner.read.lock().await;
        if read.is_none_or(|read| read.elapsed() >= FRESH) {
            let looks: Vec<_> = self.readings().iter().map(|look| look()).collect();
            // What does not answer in time keeps its last value; the store's own check tells of it.
            let _ = tokio::time::timeout(PATIENCE, join_all(looks)).await;
            *read = Some(Instant::now());
        }
        drop(read);
        self.registry().page()
    }

    /// A span of this service.
    pub fn begin(&self, name: &'static str, kind: Kind, parent: Option<TraceContext>) -> Span {
        self.tracer().begin(name, kind, parent)
    }

    /// Counts a request that is answered.
    pub(crate) fn answered(&self, operation: &str, outcome: &str, took: Duration) {
        self.inner.requests.with(&[operation, outcome]).took(took);
    }

    /// Counts a gRPC call that is answered.
    pub fn called(&self, method: &str, ok: bool, took: Duration) {
        let outcome = if ok { "ok" } else { "error" };
        self.inner.calls.with(&[method, outcome]).took(took);
    }

    pub(crate) fn in_flight(&self) -> &Gauge {
        &self.inner.in_flight
    }

    /// Watches the event loop until the service ends.
    pub(crate) fn watch_event_loop(&self, until: CancellationToken) {
        let lag = self.registry().gauges(&metrics::LAG, 1).with(&["main"]);
        let beating = self.vitals().clone().keep_beating("the event loop", LIMIT, lag);
        tokio::spawn(async move {
            tokio::select! {
                () = until.cancelled() => {}
                () = beating => {}
            }
        });
    }

    /// A poisoned lock holds whole readings: each is put in by one push.
    fn readings(&self) -> MutexGuard<'_, Vec<Reading>> {
        self.inner.readings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds, at least two: a loop may sleep for one.
fn loop_limit(given: Option<&str>) -> Duration {
    let seconds = given.and_then(|text| text.trim().parse().ok());
    seconds.map_or(LOOP_LIMIT, |seconds: u64| Duration::from_secs(seconds.max(2)))
}

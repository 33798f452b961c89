//! What the gateway tells about itself: metrics, spans, the access log, signs of life.
//!
//! What every request touches is looked up before: an operation's meters lie with its document, a subgraph's with its
//! endpoint. Nothing here knows a token, a variable or a header besides the request id and the trace.

mod access;
mod metrics;
mod operation;
mod page;
mod readings;
pub mod response_cache;
mod watch;

pub use metrics::{APQ_METRIC, DOCUMENTS_METRICS, METRICS, VALKEY_METRICS};
pub use operation::{Operation, Told, hash};
pub use page::serve;
pub use readings::register;
pub use watch::{Answered, Watch};

use std::time::{Duration, Instant};

use baedal_telemetry::metrics::{Buckets, Counter, Family, Gauge, Histogram};
use baedal_telemetry::trace::{Kind, Settings};
use baedal_telemetry::vitals::LIMIT;
use baedal_telemetry::{Registry, Span, TraceContext, Tracer, Vitals};

use crate::config::Config;
use crate::subgraphs::Endpoint;
use crate::workers::Workers;

/// The name of the gateway in traces.
const SERVICE: &str = "gateway";
/// Subgraphs, codes and loops told apart.
const FEW: usize = 200;

/// Everything that is counted, and where it is told.
pub struct Observer {
    /// Where metrics are registered.
    pub registry: Registry,
    /// What begins spans.
    pub tracer: Tracer,
    /// The pulses of the gateway's loops.
    pub vitals: Vitals,
    /// Open connections of clients.
    pub connections: Gauge,
    turned_away: Family<Counter>,
    /// WebSocket connections among them.
    pub sockets: Gauge,
    /// Subscriptions under way, by contract.
    pub subscriptions: Family<Gauge>,
    /// Records of topics that were no events.
    pub skipped: Family<Counter>,
    /// Callbacks of subgraphs.
    pub callbacks: Family<Counter>,
    lookups: Family<Counter>,
    /// What operations may cost.
    pub costs: Histogram,
    /// Supergraphs that were served, or refused.
    pub reloads: Family<Counter>,
    /// How many requests came in one body.
    pub batches: Histogram,
    /// Bytes of files.
    pub uploaded: Counter,
    /// Configurations that were taken over, or refused.
    pub config_reloads: Family<Counter>,
    requests: Family<Histogram>,
    refusals: Family<Counter>,
    parts: Family<Counter>,
    errors: Family<Counter>,
    calls: Family<Histogram>,
    shared_calls: Family<Counter>,
    per_request: Histogram,
    bytes: Histogram,
    begun: Counter,
    ended: Counter,
    slow: Family<Counter>,
}

/// Counts of lookups, kept by each engine.
#[derive(Clone)]
pub struct Lookups {
    /// A document was there.
    pub document_hit: Counter,
    /// A document had to be read.
    pub document_miss: Counter,
    /// A program was there.
    pub program_hit: Counter,
    /// A program had to be planned.
    pub program_miss: Counter,
}

impl Lookups {
    fn new(family: &Family<Counter>, contract: &str) -> Lookups {
        Lookups {
            document_hit: family.with(&["documents", "hit", contract]),
            document_miss: family.with(&["documents", "miss", contract]),
            program_hit: family.with(&["programs", "hit", contract]),
            program_miss: family.with(&["programs", "miss", contract]),
        }
    }
}

impl Observer {
    /// As the configuration asks for.
    pub fn new(config: &Config) -> Observer {
        let registry = Registry::of_process();
        let operations = config.metrics.operations;
        Observer {
            tracer: tracer(config, &registry),
            vitals: Vitals::default(),
            connections: registry.gauge(&metrics::CONNECTIONS),
            turned_away: registry.counters(&metrics::TURNED_AWAY, FEW),
            sockets: registry.gauge(&metrics::SOCKETS),
            subscriptions: registry.gauges(&metrics::SUBSCRIPTIONS, FEW),
            skipped: registry.counters(&metrics::RECORDS_SKIPPED, FEW),
            callbacks: registry.counters(&metrics::CALLBACKS, FEW),
            lookups: registry.counters(&metrics::CACHE_LOOKUPS, FEW),
            costs: registry.histogram(&metrics::COSTS, Buckets::COSTS),
            reloads: registry.counters(&metrics::RELOADS, FEW),
            batches: registry.histogram(&metrics::BATCHES, Buckets::COUNTS),
            uploaded: registry.counter(&metrics::UPLOADED),
            config_reloads: registry.counters(&metrics::CONFIG_RELOADS, FEW),
            requests: registry.histograms(&metrics::REQUESTS, Buckets::REQUESTS, operations),
            refusals: registry.counters(&metrics::REFUSALS, FEW),
            parts: registry.counters(&metrics::ANSWER_PARTS, FEW),
            errors: registry.counters(&metrics::ERRORS, FEW),
            calls: registry.histograms(&metrics::CALLS, Buckets::REQUESTS, FEW),
            shared_calls: registry.counters(&metrics::CALLS_SHARED, FEW),
            per_request: registry.histogram(&metrics::CALLS_PER_REQUEST, Buckets::COUNTS),
            bytes: registry.histogram(&metrics::ANSWER_BYTES, Buckets::BYTES),
            begun: Counter::default(),
            ended: Counter::default(),
            slow: registry.counters(&metrics::SLOW, FEW),
            registry,
        }
        .begun()
    }

    /// What the graph at the usual path counts is there from the start.
    fn begun(self) -> Observer {
        self.subscriptions.with(&[""]);
        self.slow.with(&[""]);
        self
    }

    /// Counts of lookups in the caches of a contract's engine.
    pub fn lookups(&self, contract: &str) -> Lookups {
        Lookups::new(&self.lookups, contract)
    }

    /// A connection was closed before a request.
    pub fn turned_away(&self, reason: &str) {
        self.turned_away.with(&[reason]).inc();
        tracing::debug!(reason, "a connection was closed before a request");
    }

    /// The meters of an operation of a contract.
    pub fn operation(&self, contract: &str, name: Option<&str>, query: &str) -> Operation {
        Operation::new(&self.requests, contract, name, query)
    }

    /// Watches the event loops of the threads that serve.
    pub fn watch_loops(&self, workers: &Workers) {
        let lags = self.registry.gauges(&metrics::LAG, FEW);
        for (name, handle) in workers.handles() {
            let lag = lags.with(&[&name]);
            handle.spawn(self.vitals.clone().keep_beating(name, LIMIT, lag));
        }
    }

    /// A span for a call to a subgraph, below the request's.
    pub fn call_span(&self, subgraph: &str, request: TraceContext) -> Span {
        let mut span = self.tracer.begin("subgraph call", Kind::Client, Some(request));
        if span.is_kept() {
            span.rename(format!("subgraph {subgraph}"));
            span.set("baedal.subgraph", subgraph.to_owned());
        }
        span
    }

    /// A call to a subgraph has ended: well, or with the code of an error.
    pub fn called(&self, subgraph: &str, endpoint: Option<&Endpoint>, code: Option<&str>, took: Duration) {
        let member = |outcome: &str| self.calls.with(&[subgraph, outcome]);
        match (endpoint, code) {
            (Some(endpoint), None) => endpoint.meter(|| member("ok")).took(took),
            (_, code) => member(code.unwrap_or("ok")).took(took),
        }
    }

    /// A call to a subgraph was not made, as an equal one was under way.
    pub fn shared_call(&self, subgraph: &str) {
        self.shared_calls.with(&[subgraph]).inc();
    }

    /// Requests that are being answered. Counted twice and subtracted, so that no thread waits for another's count.
    fn in_flight(&self) -> f64 {
        // Read in this order, so that what begins meanwhile does not make it negative.
        let ended = self.ended.get();
        self.begun.get().saturating_sub(ended) as f64
    }

    /// The loops that hang, as sentences.
    pub fn hung(&self) -> Vec<String> {
        let silent = self.vitals.silent(Instant::now());
        silent.iter().map(ToString::to_string).collect()
    }
}

/// The configuration decides, else the environment.
fn tracer(config: &Config, registry: &Registry) -> Tracer {
    let traces = &config.traces;
    let Some(endpoint) = &traces.endpoint else {
        return Tracer::of_environment(SERVICE, registry);
    };
    match Settings::to(SERVICE, endpoint.as_str()) {
        Ok(settings) => {
            let sampler = traces.sampler();
            Tracer::start(Settings { sampler, ..settings }, registry)
        }
        Err(error) => {
            tracing::error!(%error, "no traces are sent");
            Tracer::off()
        }
    }
}

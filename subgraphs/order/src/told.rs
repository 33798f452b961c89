//! What order tells besides what every service does: how long orders have been where they are, and the circuit to payment.

use std::sync::{Arc, atomic::Ordering};

use baedal_kit::{
    clock::{Clock, SystemClock},
    telemetry::{Metric, Telemetry},
};

use baedal_traffic::{Layers, Snapshot, State};

use crate::{
    app::{App, Placements},
    domain::Status,
    ports::{StoreError, Wait},
};

/// All of it.
pub const METRICS: [&Metric; 9] = [
    &PLACEMENTS,
    &OLDEST_ORDER,
    &BREAKER_STATE,
    &BREAKER_OPENED,
    &BREAKER_REJECTED,
    &UNDER_WAY,
    &NO_TURN,
    &TIMED_OUT,
    &RETRIED,
];

static PLACEMENTS: Metric = Metric::counter(
    "baedal_order_placements_total",
    &["outcome"],
    "Attempts to place an order; outcome is placed, declined (payment said no), unavailable (payment said nothing), refused (it cannot be ordered) or failed (the store)",
);
static OLDEST_ORDER: Metric = Metric::gauge(
    "baedal_order_oldest_seconds",
    &["status"],
    "How long the order that entered this status first has been in it; 0 when none is; final statuses are not told",
);
static BREAKER_STATE: Metric = Metric::gauge(
    "baedal_breaker_state",
    &["target"],
    "The circuit breaker of calls to a target: 0 closed, 1 half-open, 2 open",
);
static BREAKER_OPENED: Metric = Metric::counter(
    "baedal_breaker_opened_total",
    &["target"],
    "How often the circuit breaker has opened",
);
static BREAKER_REJECTED: Metric = Metric::counter(
    "baedal_breaker_rejected_total",
    &["target"],
    "Calls that an open circuit breaker has refused",
);
static UNDER_WAY: Metric = Metric::gauge(
    "baedal_calls_under_way",
    &["target"],
    "Calls to a target that are under way",
);
static NO_TURN: Metric = Metric::counter(
    "baedal_calls_without_turn_total",
    &["target"],
    "Calls that the bulkhead gave no turn in time",
);
static TIMED_OUT: Metric = Metric::counter(
    "baedal_calls_timed_out_total",
    &["target"],
    "Calls that took too long",
);
static RETRIED: Metric = Metric::counter("baedal_calls_retried_total", &["target"], "Calls made once more");

/// A metric, and what of the circuit it shows.
type Shown = (&'static Metric, fn(&Snapshot) -> f64);

const TARGET: &str = "payment";

/// Statuses that an order does not stay in.
const ON_THE_WAY: [Status; 8] = [
    Status::PaymentPending,
    Status::Placed,
    Status::Accepted,
    Status::Cooking,
    Status::Cooked,
    Status::Delivering,
    Status::CancelRequested,
    Status::Rejected,
];

pub(crate) fn register(telemetry: &Telemetry, app: &Arc<App>, circuit: &Arc<Layers>) {
    let registry = telemetry.registry();
    let oldest = registry.gauges(&OLDEST_ORDER, ON_THE_WAY.len());
    let placements = app.placements().clone();
    let app = app.clone();
    telemetry.on_read(move || {
        let (app, oldest) = (app.clone(), oldest.clone());
        async move {
            for status in ON_THE_WAY {
                // A store that does not answer says nothing, and the page must not either.
                let age = age(&app, status).await.unwrap_or(f64::NAN);
                oldest.with(&[status.name()]).set(age);
            }
        }
    });
    register_placements(telemetry, placements);
    register_circuit(telemetry, circuit);
}

fn register_placements(telemetry: &Telemetry, placements: Arc<Placements>) {
    telemetry.registry().read(&PLACEMENTS, move |out| {
        for (outcome, count) in [
            ("placed", &placements.placed),
            ("declined", &placements.declined),
            ("unavailable", &placements.unavailable),
            ("refused", &placements.refused),
            ("failed", &placements.failed),
        ] {
            out.value(&[outcome], count.load(Ordering::Relaxed) as f64);
        }
    });
}

fn register_circuit(telemetry: &Telemetry, circuit: &Arc<Layers>) {
    let shown: [Shown; 7] = [
        (&BREAKER_STATE, |circuit| match circuit.breaker.state {
            State::Closed => 0.0,
            State::HalfOpen => 1.0,
            State::Open => 2.0,
        }),
        (&BREAKER_OPENED, |circuit| circuit.breaker.opened as f64),
        (&BREAKER_REJECTED, |circuit| circuit.breaker.rejected as f64),
        (&UNDER_WAY, |circuit| circuit.under_way as f64),
        (&NO_TURN, |circuit| circuit.refused as f64),
        (&TIMED_OUT, |circuit| circuit.timed_out as f64),
        (&RETRIED, |circuit| circuit.retried as f64),
    ];
    for (metric, value) in shown {
        let circuit = circuit.clone();
        telemetry.registry().read(metric, move |out| {
            out.value(&[TARGET], value(&circuit.snapshot()));
        });
    }
}

/// Seconds since the oldest order entered this status.
async fn age(app: &App, status: Status) -> Result<f64, StoreError> {
    let now = SystemClock.now_ms();
    let wait = Wait {
        statuses: &[status],
        since: now,
        after: None,
    };
    let oldest = app.orders().waiting(wait, 1).await?.pop();
    Ok(oldest.map_or(0.0, |order| (now - order.state.entered_at()) as f64 / 1000.0))
}

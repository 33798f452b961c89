//! Wiring: one running order service.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use baedal_kit::{
    Worker,
    auth::Auth,
    clock::{SystemClock, SystemIds},
    consumer::{ConsumerStats, Life, spawn_consumer_watched},
    log::{self, EventLog},
    ops::Ops,
    outbox::spawn_relay_watched,
    prune::{self, Pruner, Retention, SeenEvents},
    rounds::Rounds,
    serve::{Running, Service, serve},
    telemetry::Telemetry,
};
use baedal_traffic::Layers;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Ports},
    config::Config,
    inbound::{
        events::{Events, TOPICS},
        graphql,
    },
    outbound::payment::{GrpcCall, GuardedPayments},
    store::Store,
    told,
};

/// Consumer group of order.
const GROUP: &str = "order";

/// A running order service.
pub struct OrderService {
    /// GraphQL, health and the workers.
    pub running: Running,
    /// The application, for looking inside.
    pub app: Arc<App>,
    /// The circuit to payment.
    pub circuit: Arc<Layers>,
    /// What the consumer has done.
    pub consumed: Arc<ConsumerStats>,
}

/// Starts order; everything has stopped when `Running::shutdown` has returned.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    Ok(start_service(config).await?.running)
}

/// Starts order and shows its inside.
pub async fn start_service(config: Config) -> anyhow::Result<OrderService> {
    let store = Store::open(&config.database_url).await?;
    let events = log::open(&config.events_url).await;
    let events = events
        .context("order cannot open the event log; set EVENTS_URL to embedded:PATH or kafka://HOST:PORT")?;
    let circuit = config.guards.layers();
    let call = GrpcCall::new(&config.payment_url, config.payment_connections)
        .context("PAYMENT_GRPC_URL does not say where payment is")?
        .with_key(config.payment_key.clone());
    let ports = Ports {
        orders: store.orders.clone(),
        menus: store.menus.clone(),
        coupons: store.coupons.clone(),
        payments: Arc::new(GuardedPayments::new(call, circuit.clone())),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
    };
    let app = Arc::new(App::new(ports, config.limits.clone()));
    let workers = CancellationToken::new();
    let telemetry = Telemetry::of("order");
    told::register(&telemetry, &app, &circuit);
    let ops = Ops::new("order", store.outbox.clone(), store.letters.clone());
    let mut running = serve(Service {
        name: "order",
        listen: config.listen,
        schema: graphql::schema(app.clone(), circuit.clone()),
        auth: auth(&config),
        checks: vec![store.check],
        ops: Some(ops.clone()),
        telemetry: telemetry.clone(),
        workers: workers.clone(),
    })
    .await?;
    running.keep(spawn_relay_watched(
        store.outbox,
        events.clone(),
        store.outbox_notify,
        workers.clone(),
        &telemetry,
    ));
    let pruner = pruner(store.inbox, events.clone(), config.retention);
    running.keep(pruner.spawn(prune::EVERY, workers.clone()));
    let consumer = spawn_consumer_watched(
        events,
        GROUP,
        TOPICS,
        Arc::new(Events::new(app.clone())),
        store.letters,
        Life {
            shutdown: workers.clone(),
            telemetry: &telemetry,
        },
    );
    ops.watch(&consumer);
    let consumed = consumer.stats();
    running.keep(consumer.worker);
    let rounds = telemetry.rounds("order sweep", config.sweep_every);
    let sweep = sweep(app.clone(), config.sweep_every, rounds, workers);
    running.keep(Worker::spawn("order sweep", sweep));
    Ok(OrderService {
        running,
        app,
        circuit,
        consumed,
    })
}

fn pruner(inbox: Arc<dyn SeenEvents>, log: Arc<dyn EventLog>, retention: Retention) -> Pruner {
    Pruner {
        inbox,
        log,
        retention,
    }
}

fn auth(config: &Config) -> Option<Arc<Auth>> {
    let issuer = config.issuer.as_deref()?;
    Some(Auth::of(issuer, &config.audience, config.jwks_url.as_deref()))
}

/// Moves overdue orders on, at start and every now and then.
async fn sweep(app: Arc<App>, every: Duration, rounds: Rounds, shutdown: CancellationToken) {
    loop {
        rounds.begin().await;
        match app.sweep().await {
            Ok(0) => {}
            Ok(moved) => tracing::info!(moved, "overdue orders moved on"),
            Err(error) => tracing::warn!(%error, "the order sweep failed, it comes again"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

//! Wiring: one running payment service.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use baedal_events::ORDER_TOPIC;
use baedal_kit::{
    Worker,
    auth::Auth,
    clock::{SystemClock, SystemIds},
    consumer::{Life, spawn_consumer_watched},
    log::{self, EventLog},
    ops::Ops,
    outbox::{OutboxSource, spawn_relay_watched},
    prune::{self, Pruner, Retention},
    rounds::Rounds,
    serve::{Check, Running, Service, serve},
    sql::{Db, SqlInbox, SqlLetters, SqlOutbox},
    telemetry::Telemetry,
};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::TcpIncoming};

use crate::{
    app::App,
    config::Config,
    inbound::{
        events::OrderEvents,
        graphql,
        grpc::{PaymentGrpc, proto::payment_service_server::PaymentServiceServer},
    },
    outbound::{simulated::SimulatedProvider, sql::SqlPayments},
};

/// Consumer group on the order topic.
const GROUP: &str = "payment";

/// A running payment service.
pub struct PaymentService {
    /// GraphQL, health and the workers.
    pub running: Running,
    /// Where gRPC is served (the port is known only now when it was 0).
    pub grpc_addr: SocketAddr,
    /// The provider, for looking at its book.
    pub provider: SimulatedProvider,
    /// The application, for looking inside.
    pub app: App,
}

/// Starts payment; everything has stopped when `Running::shutdown` has returned.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    Ok(start_service(config).await?.running)
}

/// Starts payment and says where its gRPC port is.
pub async fn start_service(config: Config) -> anyhow::Result<PaymentService> {
    is_guarded(&config)?;
    let (db, payments) = open(&config.database_url).await?;
    let events = log::open(&config.events_url)
        .await
        .context("payment cannot open the event log; set EVENTS_URL to embedded:PATH or kafka://HOST:PORT")?;
    let grpc = listener(config.grpc_listen).await?;
    let grpc_addr = grpc.local_addr()?;
    let provider = SimulatedProvider::new(config.provider.clone());
    let app = app(&config, payments.clone(), &provider);
    let workers = CancellationToken::new();
    let settle = Arc::new(Notify::new());
    let outbox: Arc<dyn OutboxSource> = Arc::new(SqlOutbox::new(&db));
    let telemetry = Telemetry::of("payment");
    let letters = Arc::new(SqlLetters::new(&db));
    let ops = Ops::new("payment", outbox.clone(), letters.clone());
    let mut running = serve(Service {
        name: "payment",
        listen: config.listen,
        schema: graphql::schema(payments),
        auth: auth(&config),
        checks: vec![store_check(&db)],
        ops: Some(ops.clone()),
        telemetry: telemetry.clone(),
        workers: workers.clone(),
    })
    .await?;
    running.keep(spawn_relay_watched(
        outbox,
        events.clone(),
        db.outbox_notify(),
        workers.clone(),
        &telemetry,
    ));
    running.keep(pruner(&db, events.clone(), config.retention).spawn(prune::EVERY, workers.clone()));
    let handler = Arc::new(OrderEvents::new(app.clone(), settle.clone()));
    let consumer = spawn_consumer_watched(
        events,
        GROUP,
        &[ORDER_TOPIC],
        handler,
        letters,
        Life {
            shutdown: workers.clone(),
            telemetry: &telemetry,
        },
    );
    ops.watch(&consumer);
    running.keep(consumer.worker);
    let rounds = telemetry.rounds("payment sweep", config.sweep_every);
    let sweep = sweep(app.clone(), (settle, config.sweep_every), rounds, workers.clone());
    running.keep(Worker::spawn("payment sweep", sweep));
    let service = PaymentGrpc::new(app.clone(), config.pace, telemetry).guarded(config.grpc_key);
    let door = serve_grpc(service, grpc, workers);
    running.keep(Worker::spawn("payment grpc", door));
    Ok(PaymentService {
        running,
        grpc_addr,
        provider,
        app,
    })
}

/// Without a key nobody but this machine may reach gRPC.
fn is_guarded(config: &Config) -> anyhow::Result<()> {
    ensure!(
        config.grpc_key.is_some() || config.grpc_listen.ip().is_loopback(),
        "whoever reaches {} could charge customers: set PAYMENT_GRPC_KEY, the same for order and payment, \
         or let PAYMENT_GRPC_LISTEN be a loopback address",
        config.grpc_listen
    );
    Ok(())
}

async fn open(url: &str) -> anyhow::Result<(Db, Arc<SqlPayments>)> {
    let db = Db::open(url).await.context(
        "payment cannot open its store; set DATABASE_URL to sqlite://PATH?mode=rwc or postgres://…",
    )?;
    let payments = SqlPayments::open(db.clone()).await;
    Ok((
        db,
        Arc::new(payments.context("payment cannot prepare its tables")?),
    ))
}

fn app(config: &Config, payments: Arc<SqlPayments>, provider: &SimulatedProvider) -> App {
    let time = (Arc::new(SystemClock) as _, Arc::new(SystemIds) as _);
    App::new(
        payments,
        Arc::new(provider.clone()),
        time,
        config.patience.clone(),
    )
}

fn pruner(db: &Db, log: Arc<dyn EventLog>, retention: Retention) -> Pruner {
    Pruner {
        inbox: Arc::new(SqlInbox::new(db)),
        log,
        retention,
    }
}

fn auth(config: &Config) -> Option<Arc<Auth>> {
    let issuer = config.issuer.as_deref()?;
    Some(Auth::of(issuer, &config.audience, config.jwks_url.as_deref()))
}

async fn listener(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr)
        .await
        .with_context(|| format!("payment cannot listen for gRPC on {addr}; stop what uses the port or set PAYMENT_GRPC_LISTEN to another"))
}

fn store_check(db: &Db) -> Check {
    let db = db.clone();
    Check::new("store", move || {
        let db = db.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    })
}

async fn serve_grpc(service: PaymentGrpc, listener: TcpListener, shutdown: CancellationToken) {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<PaymentServiceServer<PaymentGrpc>>().await;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let served = Server::builder()
        .add_service(health_service)
        .add_service(PaymentServiceServer::new(service))
        .serve_with_incoming_shutdown(incoming, async move {
            shutdown.cancelled().await;
            health
                .set_not_serving::<PaymentServiceServer<PaymentGrpc>>()
                .await;
        })
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "payment's gRPC server ended");
    }
}

/// Settles open payments at start, whenever woken, and every now and then.
async fn sweep(
    app: App,
    (wake, every): (Arc<Notify>, Duration),
    rounds: Rounds,
    shutdown: CancellationToken,
) {
    loop {
        rounds.begin().await;
        match app.settle().await {
            Ok(settled) if settled.moved > 0 => tracing::debug!(?settled, "payments settled"),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the payment sweep failed, it comes again"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = wake.notified() => {}
            () = tokio::time::sleep(every) => {}
        }
    }
}

//! The store service (상점): stores with their menus, and the ticket of every paid order on its way to the customer.
//!
//! A hexagon: [`domain`] decides, [`app`] loads, lets it decide and saves, [`policies`] says what follows from events of
//! other services; `inbound` and `outbound` are the adapters. It knows order and payment by their events only.

pub mod app;
pub mod demo;
pub mod domain;
mod inbound;
pub mod outbound;
pub mod policies;
pub mod ports;

use anyhow::{Context, bail};
use app::App;
use baedal_events::{ORDER_TOPIC, PAYMENT_TOPIC};
use baedal_kit::Worker;
use baedal_kit::auth::Auth;
use baedal_kit::clock::{SystemClock, SystemIds};
use baedal_kit::consumer::{Life, spawn_consumer_watched};
use baedal_kit::log::{self, EventLog};
use baedal_kit::ops::Ops;
use baedal_kit::outbox::spawn_relay_watched;
use baedal_kit::prune::{self, Pruner, Retention};
use baedal_kit::serve::{Check, Running, Service, serve};
use baedal_kit::sql::{SqlInbox, SqlLetters};
use baedal_kit::telemetry::Telemetry;
use outbound::sql::SqlStore;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub use inbound::events::Inbox;
pub use inbound::graphql::{StoreSchema, schema};

/// Everything the service needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `sqlite://PATH?mode=rwc` or `postgres://…`.
    pub database_url: String,
    /// `embedded:PATH` or `kafka://HOST:PORT,…`.
    pub events_url: String,
    /// Issuer of the access tokens, the auth server's URL.
    pub issuer: String,
    /// Where the issuer's keys are, when its own name does not lead there from here.
    pub jwks_url: Option<String>,
    /// Audience the tokens must name.
    pub audience: String,
    /// Put the demo stores in; refused on anything but SQLite.
    pub demo: bool,
    /// Let tickets move by themselves from RECEIVED to DELIVERED.
    pub auto: bool,
    /// How long a ticket rests in each state in `auto` mode.
    pub step_delay: Duration,
    /// How long what was done is remembered.
    pub retention: Retention,
}

/// Starts the service: API, consumers, relay and, where configured, `auto` mode.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    if config.demo && !config.database_url.starts_with("sqlite:") {
        bail!(
            "DEMO=true puts demo stores into the database and is allowed on SQLite only: \
             set DEMO=false, or DATABASE_URL to sqlite://PATH?mode=rwc"
        );
    }
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds));
    let store = SqlStore::open(&config.database_url, clock.clone(), ids.clone()).await;
    let store = Arc::new(
        store.context("cannot open the store database (DATABASE_URL): is it running and reachable?")?,
    );
    let log = log::open(&config.events_url).await;
    let log = log.context("cannot open the event log (EVENTS_URL): is it running and reachable?")?;
    let app = Arc::new(App::new(store.clone(), clock, ids));
    if config.demo {
        demo::seed(&app)
            .await
            .context("cannot put the demo stores into the database")?;
    }
    run(config, app, store, log).await
}

async fn run(
    config: Config,
    app: Arc<App>,
    store: Arc<SqlStore>,
    log: Arc<dyn EventLog>,
) -> anyhow::Result<Running> {
    let workers = CancellationToken::new();
    let db = store.db().clone();
    let ready = Check::new("store", move || {
        let db = db.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    });
    let telemetry = Telemetry::of("store");
    let letters = Arc::new(SqlLetters::new(store.db()));
    let ops = Ops::new("store", Arc::new(store.outbox()), letters.clone());
    let service = Service {
        name: "store",
        listen: config.listen,
        schema: schema(app.clone()),
        auth: Some(Auth::of(
            &config.issuer,
            &config.audience,
            config.jwks_url.as_deref(),
        )),
        checks: vec![ready],
        ops: Some(ops.clone()),
        telemetry: telemetry.clone(),
        workers: workers.clone(),
    };
    let mut running = serve(service).await?;
    let notify = store.db().outbox_notify();
    running.keep(spawn_relay_watched(
        Arc::new(store.outbox()),
        log.clone(),
        notify,
        workers.clone(),
        &telemetry,
    ));
    let pruner = Pruner {
        inbox: Arc::new(SqlInbox::new(store.db())),
        log: log.clone(),
        retention: config.retention,
    };
    running.keep(pruner.spawn(prune::EVERY, workers.clone()));
    let handler = Arc::new(Inbox { app: app.clone() });
    let consumer = spawn_consumer_watched(
        log,
        "store",
        &[ORDER_TOPIC, PAYMENT_TOPIC],
        handler,
        letters,
        Life {
            shutdown: workers.clone(),
            telemetry: &telemetry,
        },
    );
    ops.watch(&consumer);
    running.keep(consumer.worker);
    if config.auto {
        let rounds = telemetry.rounds("auto mode", config.step_delay);
        let auto = app::auto::run(app, config.step_delay, rounds, workers);
        running.keep(Worker::spawn("auto", auto));
    }
    Ok(running)
}

/// The subgraph's schema as Federation 2 SDL.
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new()
        .federation()
        .sorted_fields()
        .sorted_enum_items();
    inbound::graphql::bare().sdl_with_options(options)
}

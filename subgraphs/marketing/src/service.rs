//! Wiring: which adapter stands behind which port, and what runs beside the API.

use crate::app::App;
use crate::domain::Rules;
use crate::outbound::mongo::MongoBooks;
use crate::outbound::sql::SqlBooks;
use crate::{Inbox, feed, schema};
use anyhow::{Context, bail};
use baedal_events::{ORDER_TOPIC, PAYMENT_TOPIC, STORE_TOPIC};
use baedal_kit::Worker;
use baedal_kit::auth::Auth;
use baedal_kit::clock::{SystemClock, SystemIds};
use baedal_kit::consumer::{DeadLetters, Life, spawn_consumer_watched};
use baedal_kit::log;
use baedal_kit::mongo::{MongoInbox, MongoLetters};
use baedal_kit::ops::Ops;
use baedal_kit::outbox::{OutboxSource, spawn_relay_watched};
use baedal_kit::prune::{self, Pruner, Retention, SeenEvents};
use baedal_kit::rounds::Rounds;
use baedal_kit::serve::{Check, Running, Service, serve};
use baedal_kit::sql::{SqlInbox, SqlLetters};
use baedal_kit::telemetry::Telemetry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often coupons are looked through for those whose time has passed.
const EXPIRY_EVERY: Duration = Duration::from_secs(30);

/// Everything the service needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `sqlite://PATH?mode=rwc` or `mongodb://HOST:PORT/DATABASE?replicaSet=NAME`.
    pub database_url: String,
    /// `embedded:PATH` or `kafka://HOST:PORT,…`.
    pub events_url: String,
    /// Issuer of the access tokens, the auth server's URL.
    pub issuer: String,
    /// Where the issuer's keys are, when its own name does not lead there from here.
    pub jwks_url: Option<String>,
    /// Audience the tokens must name.
    pub audience: String,
    /// What a delivered order earns.
    pub rules: Rules,
    /// How long what was done is remembered.
    pub retention: Retention,
}

/// An open database with everything that depends on which one it is.
struct Opened {
    app: App,
    outbox: Arc<dyn OutboxSource>,
    notify: Arc<Notify>,
    letters: Arc<dyn DeadLetters>,
    inbox: Arc<dyn SeenEvents>,
    check: Check,
}

/// Starts the service: API with the live feed, consumers, relay, expiry of coupons.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    let opened = open(&config.database_url, config.rules).await?;
    let log = log::open(&config.events_url).await;
    let log = log.context("cannot open the event log (EVENTS_URL): is it running and reachable?")?;
    let app = Arc::new(opened.app);
    let workers = CancellationToken::new();
    let telemetry = Telemetry::of("marketing");
    let ops = Ops::new("marketing", opened.outbox.clone(), opened.letters.clone());
    let service = Service {
        name: "marketing",
        listen: config.listen,
        schema: schema(app.clone()),
        auth: Some(Auth::of(
            &config.issuer,
            &config.audience,
            config.jwks_url.as_deref(),
        )),
        checks: vec![opened.check],
        ops: Some(ops.clone()),
        telemetry: telemetry.clone(),
        workers: workers.clone(),
    };
    let mut running = serve(service).await?;
    running.keep(spawn_relay_watched(
        opened.outbox,
        log.clone(),
        opened.notify,
        workers.clone(),
        &telemetry,
    ));
    let pruner = Pruner {
        inbox: opened.inbox,
        log: log.clone(),
        retention: config.retention,
    };
    running.keep(pruner.spawn(prune::EVERY, workers.clone()));
    let handler = Arc::new(Inbox { app: app.clone() });
    let topics = [ORDER_TOPIC, PAYMENT_TOPIC, STORE_TOPIC];
    let consumer = spawn_consumer_watched(
        log,
        "marketing",
        &topics,
        handler,
        opened.letters,
        Life {
            shutdown: workers.clone(),
            telemetry: &telemetry,
        },
    );
    ops.watch(&consumer);
    running.keep(consumer.worker);
    running.keep(Worker::spawn(
        "feed-poller",
        feed::run_poller(
            app.clone(),
            telemetry.rounds("feed poller", Duration::ZERO),
            workers.clone(),
        ),
    ));
    let rounds = telemetry.rounds("coupon expiry", EXPIRY_EVERY);
    running.keep(Worker::spawn(
        "coupon-expiry",
        expire_coupons(app, rounds, workers),
    ));
    Ok(running)
}

async fn open(url: &str, rules: Rules) -> anyhow::Result<Opened> {
    match url.split_once(':').map_or("", |(scheme, _)| scheme) {
        "sqlite" => open_sql(url, rules).await,
        "mongodb" | "mongodb+srv" => open_mongo(url, rules).await,
        _ => bail!(
            "DATABASE_URL of marketing must be sqlite://PATH?mode=rwc or \
             mongodb://HOST:PORT/DATABASE?replicaSet=NAME"
        ),
    }
}

async fn open_sql(url: &str, rules: Rules) -> anyhow::Result<Opened> {
    let books = SqlBooks::open(url, Arc::new(SystemIds)).await;
    let books = Arc::new(books.context("cannot open the marketing database (DATABASE_URL)")?);
    let db = books.db().clone();
    let check = Check::new("database", move || {
        let db = db.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    });
    let (outbox, notify) = (Arc::new(books.outbox()), books.db().outbox_notify());
    let letters = Arc::new(SqlLetters::new(books.db()));
    let inbox = Arc::new(SqlInbox::new(books.db()));
    Ok(Opened {
        app: App::new(books, Arc::new(SystemClock), rules),
        outbox,
        notify,
        letters,
        inbox,
        check,
    })
}

async fn open_mongo(url: &str, rules: Rules) -> anyhow::Result<Opened> {
    let books = MongoBooks::open(url, Arc::new(SystemIds)).await;
    let books = Arc::new(books.context("cannot open the marketing database (DATABASE_URL)")?);
    let mongo = books.mongo().clone();
    let check = Check::new("database", move || {
        let mongo = mongo.clone();
        async move { mongo.ping().await.map_err(|error| error.to_string()) }
    });
    let (outbox, notify) = (Arc::new(books.outbox()), books.mongo().outbox_notify());
    let letters = Arc::new(MongoLetters::new(books.mongo()));
    let inbox = Arc::new(MongoInbox::new(books.mongo()));
    Ok(Opened {
        app: App::new(books, Arc::new(SystemClock), rules),
        outbox,
        notify,
        letters,
        inbox,
        check,
    })
}

async fn expire_coupons(app: Arc<App>, rounds: Rounds, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        rounds.begin().await;
        let pause = match app.expire_coupons().await {
            Ok(0) => EXPIRY_EVERY,
            Ok(count) => {
                tracing::info!(count, "coupons expired");
                Duration::ZERO
            }
            Err(error) => {
                tracing::warn!(%error, "cannot look for coupons that expire, trying again");
                EXPIRY_EVERY
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

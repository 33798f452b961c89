//! The real servers go away and come back under load: Kafka's broker, Postgres, MongoDB's primary.
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use baedal::demo::Account;
use baedal::settings::Part;
use baedal_kit::failpoint;
use mongodb::bson::doc;
use url::Url;

use super::services::blocking;
use crate::audit::{Ledger, SETTLED};
use crate::faults::load::{Load, Tally};
use crate::faults::random::Random;
use crate::faults::server::Server;
use crate::faults::{Experiment, Facts, Plan, Violated, must};
use crate::patience::until;
use crate::world::World;

/// How long the broker is away: in the long form, and under sabotage.
const AWAY: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(5));
/// From a database's return until orders go on.
const HEALED: Duration = Duration::from_secs(5);

/// 8.
pub const KAFKA: Experiment = Experiment {
    name: "kafka-down",
    fault: "kill -9 of Kafka's broker, away for 60 s; order is started anew meanwhile",
    invariant: "orders are taken all along; outboxes drain within 10 s of its return; each effect once, in order",
    net: "the outbox (events are marked as sent before they are)",
    runs: (1, 1),
    servers: true,
    run: |plan| Box::pin(kafka(plan)),
};

/// 14.
pub const POSTGRES: Experiment = Experiment {
    name: "postgres-restart",
    fault: "Postgres is stopped (fast, immediate) and started again",
    invariant: "orders go on within 5 s of its return; no half transaction",
    net: "the void of a payment nobody heard of",
    runs: (2, 5),
    servers: true,
    run: |plan| Box::pin(postgres(plan)),
};

/// 12.
pub const MONGO: Experiment = Experiment {
    name: "mongo-stepdown",
    fault: "MongoDB's primary steps down for 2 s (a replica set of one node)",
    invariant: "errors for 5 s at most, each with a code that says to try again; nothing acknowledged is lost",
    net: "the outbox (events are marked as sent before they are)",
    runs: (2, 5),
    servers: true,
    run: |plan| Box::pin(mongo(plan)),
};

async fn kafka(plan: Plan) -> Result<Facts> {
    let mut world = begin(&plan, "outbox").await?;
    let brokers = world
        .settings
        .servers
        .as_ref()
        .map(|servers| servers.kafka.clone())
        .context("real servers")?;
    let broker = Server::found("KAFKA_PID", brokers.parse()?)?;
    let shop = world.shop(Account::Customer).await?;
    let load = Load::start(&shop, 4, "kafka");
    load.goes_on(8, Duration::from_secs(60)).await?;
    blocking(|| broker.stop("KILL"))?;
    let away = if plan.sabotage { AWAY.1 } else { AWAY.0 };
    tokio::time::sleep(away / 2).await;
    let during = load.goes_on(8, plan.patience(Duration::from_secs(10))).await;
    let calm = load.so_far();
    // What its outbox held is published by the next one.
    world.stop(Part::Order).await;
    world.start(Part::Order).await?;
    tokio::time::sleep(away / 2).await;
    during?;
    blocking(|| broker.start())?;
    let back = Instant::now();
    let tally = load.stop().await;
    let waiting = Ledger::read(&world.settings).await?.outbox;
    until(plan.patience(SETTLED), || async {
        Ok(Ledger::read(&world.settings)
            .await?
            .outbox
            .values()
            .all(|waiting| *waiting == 0))
    })
    .await
    .map_err(|error| Violated(format!("outboxes do not drain: {error:#}")))?;
    let drained = back.elapsed();
    plan.audit(&world.settings, &tally).await?;
    world.shutdown().await;
    must(calm.refused.is_empty(), || {
        format!("orders were refused without a broker: {:?}", calm.refused)
    })?;
    Ok(vec![
        format!(
            "away {away:?}, {} orders, {waiting:?} events waited",
            tally.acknowledged.len()
        ),
        plan.bound("drained", drained, SETTLED)?,
    ])
}

async fn postgres(plan: Plan) -> Result<Facts> {
    let world = begin(&plan, "void").await?;
    let url = world
        .settings
        .servers
        .as_ref()
        .map(|servers| servers.postgres.clone())
        .context("real servers")?;
    let server = Server::found("POSTGRES_PID", address(&url)?)?;
    let (mut random, mut slowest, mut all) = (Random::new(plan.seed), Duration::ZERO, Tally::default());
    for run in 0..plan.runs {
        let shop = world.shop(Account::Customer).await?;
        let load = Load::start(&shop, 6, &format!("postgres-{run}"));
        load.goes_on(6, Duration::from_secs(60)).await?;
        tokio::time::sleep(random.millis(10, 500)).await;
        // SIGINT is a fast stop, SIGQUIT an immediate one (<https://www.postgresql.org/docs/current/server-shutdown.html>).
        blocking(|| server.stop(if run % 2 == 0 { "INT" } else { "QUIT" }))?;
        tokio::time::sleep(random.millis(10, 1_500)).await;
        blocking(|| server.start())?;
        slowest = slowest.max(load.goes_on(1, plan.patience(HEALED)).await?);
        all.add(load.stop().await);
    }
    let ledger = plan.audit(&world.settings, &all).await?;
    world.shutdown().await;
    Ok(vec![
        format!(
            "{} restarts, {} orders, refused {:?}, audit clean",
            plan.runs,
            ledger.orders.len(),
            all.refused
        ),
        plan.bound("slowest recovery", slowest, HEALED)?,
    ])
}

async fn mongo(plan: Plan) -> Result<Facts> {
    let mut world = begin(&plan, "outbox").await?;
    let url = world
        .settings
        .servers
        .as_ref()
        .map(|servers| servers.mongodb.clone())
        .context("real servers")?;
    let client = mongodb::Client::with_uri_str(url.as_str()).await?;
    let (mut random, mut slowest, mut all) = (Random::new(plan.seed), Duration::ZERO, Tally::default());
    for run in 0..plan.runs {
        let shop = world.shop(Account::Customer).await?;
        let load = Load::start(&shop, 6, &format!("mongo-{run}"));
        load.goes_on(6, Duration::from_secs(60)).await?;
        tokio::time::sleep(random.millis(10, 500)).await;
        let step_down = doc! { "replSetStepDown": 2, "secondaryCatchUpPeriodSecs": 0, "force": true };
        // The server may close the connection in place of an answer.
        let _ = client.database("admin").run_command(step_down).await;
        slowest = slowest.max(load.goes_on(1, plan.patience(HEALED)).await?);
        all.add(load.stop().await);
        if plan.sabotage {
            world.stop(Part::Order).await;
            world.start(Part::Order).await?;
        }
    }
    let ledger = plan.audit(&world.settings, &all).await?;
    world.shutdown().await;
    let retryable = ["STORE_UNAVAILABLE", "PAYMENT_PENDING", "PAYMENT_UNAVAILABLE"];
    let strange = all
        .refused
        .keys()
        .find(|code| !retryable.contains(&code.as_str()));
    must(strange.is_none(), || {
        format!("an error nobody would try again: {:?}", all.refused)
    })?;
    Ok(vec![
        format!(
            "{} stepdowns, {} orders, refused {:?}, audit clean",
            plan.runs,
            ledger.orders.len(),
            all.refused
        ),
        plan.bound("longest without an order", slowest, HEALED)?,
    ])
}

/// A platform on the real servers, in this process.
async fn begin(plan: &Plan, net: &str) -> Result<World> {
    failpoint::sabotage(if plan.sabotage { net } else { "" });
    World::on_servers().await
}

fn address(url: &Url) -> Result<SocketAddr> {
    let (host, port) = (url.host_str().context("a host")?, url.port().context("a port")?);
    Ok(format!("{host}:{port}").parse()?)
}

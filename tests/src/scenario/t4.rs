//! T4: a rolling restart of every component, under load and with subscriptions open, drops no request and no event.
mod feeds;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use baedal::settings::Part;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::orders::Orders;
use super::verdict::time;
use super::{Options, Verdict};
use crate::audit::{Ledger, audit};
use crate::cluster::{Cluster, Knobs};
use crate::load::{Closed, Outcome, Report, Turn, closed};
use feeds::Feeds;

/// Longer than the balancers take to notice, and than clients and the gateway keep a connection unused for a mutation.
const DRAIN: Duration = Duration::from_millis(1_300);
/// How long the books may take when the load has ended.
const SETTLED: Duration = Duration::from_secs(60);
/// When a run is given up.
const LONGEST: Duration = Duration::from_secs(900);
/// What a customer looks at between orders: order, payment and store are asked.
const LOOK: &str = "{ myOrders(first: 3) { nodes { id status total store { name } payment { status } ticket { status } } } }";

/// Restarts everything.
pub async fn run(options: &Options) -> Result<Verdict> {
    let mut verdict = Verdict::new("T4: a rolling restart of every component loses nothing");
    verdict.load_columns();
    let knobs = Knobs {
        drain: DRAIN,
        ..Knobs::default().patient(options.short)
    };
    let customers = options.pick(20, 4);
    let mut cluster = Cluster::start(options.plan(2, customers, knobs).await?).await?;
    let shops = cluster.customers().await?;
    let feeds = Feeds::open(&shops, options.pick(200, 8)).await?;
    let orders = Orders::of(shops, options.seed);
    let (load, stop) = begin(options, &orders);
    let start = Instant::now();
    let rolled = roll(options, &mut cluster).await;
    let rolling = start.elapsed();
    tokio::time::sleep(options.lasts(120, 1).saturating_sub(rolling)).await;
    stop.cancel();
    let report = load.await.context("the load")?;
    judge(&mut verdict, &report, rolled?, rolling);
    let acknowledged = std::mem::take(&mut *orders.acknowledged().lock().expect("no holder panics"));
    let audited = audit(&cluster.settings, &acknowledged, SETTLED).await;
    verdict.audited(audited, acknowledged.len());
    let ledger = Ledger::read(&cluster.settings).await?;
    feeds.judge(&mut verdict, &ledger, cluster.subs()).await?;
    cluster.shutdown().await?;
    Ok(verdict)
}

/// The load, until it is stopped.
fn begin(options: &Options, orders: &Orders) -> (tokio::task::JoinHandle<Report>, CancellationToken) {
    let load = Closed {
        users: options.users(100, 4),
        lasts: LONGEST,
        think: Duration::from_millis(500)..Duration::from_millis(2_000),
        seed: options.seed,
    };
    let stop = CancellationToken::new();
    let (orders, stopped) = (orders.clone(), stop.clone());
    let load =
        tokio::spawn(async move { closed(&load, &stopped, move |turn| act(orders.clone(), turn)).await });
    (load, stop)
}

/// Users order and look in turns.
async fn act(orders: Orders, turn: Turn) -> Outcome {
    if turn.number.is_multiple_of(2) {
        return orders.place(turn).await;
    }
    match orders.customer(turn.user).client.data(LOOK, json!({})).await {
        Ok(_) => Outcome::ok(),
        Err(error) => Outcome::refused(format!("looking: {error:#}"), None),
    }
}

/// Restarts the replicas of every part (in the short form one of each); how many.
async fn roll(options: &Options, cluster: &mut Cluster) -> Result<usize> {
    let mut restarted = 0;
    for part in Part::ALL {
        let count = options.pick(cluster.count(part), 1);
        cluster.roll(part, count).await?;
        restarted += count;
    }
    Ok(restarted)
}

fn judge(verdict: &mut Verdict, report: &Report, restarted: usize, rolling: Duration) {
    verdict.load("T4", report);
    let failed = report.failed();
    let codes: Vec<&str> = report.outcomes.keys().map(String::as_str).collect();
    let told = format!("{} of {}: {}", failed.len(), report.all().len(), codes.join(", "));
    verdict.check("0 failed requests", told, failed.is_empty() && report.ok() > 0);
    verdict.notes.push(format!(
        "{restarted} processes restarted in {}, each serving {DRAIN:?} longer than it was ready",
        time(rolling)
    ));
}

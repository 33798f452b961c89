//! T5: payment scales. T3b's load with one replica of payment, then with three, behind a balancer.
use std::time::Duration;

use anyhow::Result;
use baedal::settings::Part;
use tokio_util::sync::CancellationToken;

use super::orders::Orders;
use super::{Options, Verdict};
use crate::audit::audit;
use crate::cluster::{Cluster, Knobs};
use crate::load::{Closed, Report, closed};

/// Payments one replica works on at once.
const CAPACITY: u32 = 10;
/// Replicas in the second half.
const REPLICAS: u32 = 3;
/// By how much the throughput must rise.
const FACTOR: f64 = 2.5;
/// How long the books may take after the load.
const SETTLED: Duration = Duration::from_secs(60);

/// One, then three.
pub async fn run(options: &Options) -> Result<Verdict> {
    let mut verdict = Verdict::new("T5: three replicas of payment instead of one");
    verdict.load_columns();
    let knobs = Knobs {
        at_once: CAPACITY,
        ..Knobs::slow_and_small(CAPACITY).patient(options.short)
    };
    let mut cluster = options.platform(options.pick(20, 4), knobs).await?;
    cluster.stop(Part::Payment).await?;
    cluster.balance(Part::Payment).await?;
    cluster.grow(Part::Payment).await?;
    let orders = Orders::of(cluster.customers().await?, options.seed).with_deadline(cluster.knobs.deadline);
    let one = load(options, &orders, 0).await;
    verdict.load("1 replica", &one);
    cluster.grow(Part::Payment).await?;
    cluster.grow(Part::Payment).await?;
    // Room for what three can do; and the connections are spread over them.
    cluster.knobs.at_once = CAPACITY * REPLICAS;
    cluster.stop(Part::Order).await?;
    cluster.grow(Part::Order).await?;
    let three = load(options, &orders, 1).await;
    verdict.load("3 replicas", &three);
    judge(options, &cluster, &mut verdict, (&one, &three));
    let acknowledged = std::mem::take(&mut *orders.acknowledged().lock().expect("no holder panics"));
    let audited = audit(&cluster.settings, &acknowledged, SETTLED).await;
    verdict.audited(audited, acknowledged.len());
    cluster.shutdown().await?;
    Ok(verdict)
}

async fn load(options: &Options, orders: &Orders, half: u64) -> Report {
    let load = Closed {
        users: options.users(100, 40),
        lasts: options.lasts(60, 2),
        think: Duration::ZERO..Duration::ZERO,
        seed: options.seed + half,
    };
    let orders = orders.half(half);
    closed(&load, &CancellationToken::new(), move |turn| {
        orders.clone().place(turn)
    })
    .await
}

fn judge(options: &Options, cluster: &Cluster, verdict: &mut Verdict, (one, three): (&Report, &Report)) {
    let given: Vec<u64> = cluster
        .counts(Part::Payment)
        .iter()
        .map(|backend| backend.total)
        .collect();
    let all = given.len() == REPLICAS as usize && given.iter().all(|total| *total > 0);
    verdict.check("each replica is given connections", format!("{given:?}"), all);
    let (before, after) = (one.ok_per_second(), three.ok_per_second());
    let factor = after / before.max(f64::EPSILON);
    let wanted = format!("≥ {FACTOR} times the throughput");
    verdict.check_speed(
        options.short,
        &wanted,
        format!("{factor:.2} times"),
        factor >= FACTOR,
    );
}

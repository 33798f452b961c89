//! Marketing is killed: nobody who orders notices.
use std::time::Duration;

use anyhow::Result;
use baedal::settings::Part;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::load::{Closed, Report, closed};
use crate::scenario::orders::Orders;
use crate::scenario::verdict::time;
use crate::scenario::{Options, Verdict};

/// How much longer an order may take (p99) in the long form: noise of one machine, not of marketing.
const NOISE: f64 = 1.5;

/// The same load with marketing and without it; it is started again after.
pub async fn killed(options: &Options, cluster: &mut Cluster, verdict: &mut Verdict) -> Result<Vec<String>> {
    let orders = Orders::of(cluster.customers().await?, format!("{}-killed", options.seed));
    let with = load(options, &orders, 0).await;
    cluster.kill(Part::Marketing).await?;
    let without = load(options, &orders, 1).await;
    cluster.grow(Part::Marketing).await?;
    let (before, after) = (with.all().quantile(0.99), without.all().quantile(0.99));
    let failed = with.failed().len() + without.failed().len();
    verdict.check(
        "marketing killed: every order is taken",
        format!(
            "{} ok with it, {} without, {failed} failed",
            with.ok(),
            without.ok()
        ),
        failed == 0 && without.ok() > 0,
    );
    verdict.check_speed(
        options.short,
        "marketing killed: p99 of ordering stays (within 1.5 times)",
        format!("{} with it, {} without", time(before), time(after)),
        after.as_secs_f64() <= before.as_secs_f64() * NOISE,
    );
    let acknowledged = std::mem::take(&mut *orders.acknowledged().lock().expect("no holder panics"));
    Ok(acknowledged)
}

async fn load(options: &Options, orders: &Orders, half: u64) -> Report {
    let load = Closed {
        users: options.users(20, 4),
        lasts: options.lasts(20, 2),
        think: Duration::from_millis(100)..Duration::from_millis(400),
        seed: options.seed + half,
    };
    let orders = orders.half(half);
    closed(&load, &CancellationToken::new(), move |turn| {
        orders.clone().place(turn)
    })
    .await
}

//! T1: the store may be down while orders come in; it catches up by itself.
use std::time::{Duration, Instant};

use anyhow::Result;
use baedal::settings::Part;

use super::verdict::time;
use super::{Options, Verdict};
use crate::audit::{SETTLED, audit};
use crate::cluster::{Cluster, Knobs};
use crate::patience::until;
use crate::shop::Shop;

/// From the store's readiness to the last delivery.
const CATCH_UP: Duration = Duration::from_secs(10);
/// When a run is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Two orders, then many.
pub async fn run(options: &Options) -> Result<Verdict> {
    let mut verdict = Verdict::new("T1: orders are taken while the store is down");
    verdict.columns(&["orders", "accepted", "moved while down", "all delivered after"]);
    let mut cluster = options.platform(2, Knobs::default()).await?;
    let shops = cluster.customers().await?;
    let mut orders = down(&mut cluster, &shops[0], 2, &mut verdict, options).await?;
    let many = options.pick(1_000, 50);
    orders.extend(down(&mut cluster, &shops[1], many, &mut verdict, options).await?);
    let audited = audit(&cluster.settings, &orders, SETTLED).await;
    verdict.audited(audited, orders.len());
    cluster.shutdown().await?;
    Ok(verdict)
}

/// Orders while the store is down, which then comes back.
async fn down(
    cluster: &mut Cluster,
    shop: &Shop,
    count: usize,
    verdict: &mut Verdict,
    options: &Options,
) -> Result<Vec<String>> {
    cluster.stop(Part::Store).await?;
    let orders = place(shop, count).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let moved = count - with_status(shop, "PLACED").await?;
    cluster.grow(Part::Store).await?;
    let start = Instant::now();
    until(PATIENCE, || async {
        Ok(with_status(shop, "DELIVERED").await? == count)
    })
    .await?;
    let took = start.elapsed();
    let (number, accepted) = (count.to_string(), orders.len().to_string());
    verdict.row(&[&number, &accepted, &moved.to_string(), &time(took)]);
    verdict.check(
        format!("all {count} orders are accepted, and none moves while the store is down"),
        format!("{accepted} accepted, {moved} moved"),
        orders.len() == count && moved == 0,
    );
    let wanted = format!("all {count} are 배송됨 within 10 s of the store's start");
    verdict.check_speed(options.short, &wanted, time(took), took <= CATCH_UP);
    Ok(orders)
}

async fn place(shop: &Shop, count: usize) -> Result<Vec<String>> {
    if count == 2 {
        let chicken = shop.place("tongdak", 1, "t1-통닭").await?;
        return Ok(vec![chicken, shop.place("pizza", 2, "t1-피자").await?]);
    }
    shop.place_many(count, "t1").await
}

async fn with_status(shop: &Shop, wanted: &str) -> Result<usize> {
    let statuses = shop.statuses().await?;
    Ok(statuses.iter().filter(|(_, status)| status == wanted).count())
}

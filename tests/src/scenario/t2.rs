//! T2: without payment no order; with it again, orders go on.
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use baedal::settings::Part;

use super::verdict::time;
use super::{Options, Verdict};
use crate::audit::{Ledger, SETTLED, audit};
use crate::cluster::{Cluster, Knobs};
use crate::shop::Shop;

/// How long the refusal of an order may take.
const REFUSED: Duration = Duration::from_secs(1);
/// How long after payment is ready the first order must be taken.
const TAKEN: Duration = Duration::from_secs(5);
/// When a run is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stops payment, orders, starts it, orders.
pub async fn run(options: &Options) -> Result<Verdict> {
    let mut verdict = Verdict::new("T2: no payment, no order");
    verdict.columns(&["order", "payment", "outcome", "after"]);
    let mut cluster = options.platform(1, Knobs::default()).await?;
    let shop = cluster.customers().await?.remove(0);
    cluster.stop(Part::Payment).await?;
    for (dish, quantity) in [("tongdak", 1), ("pizza", 2)] {
        let start = Instant::now();
        let code = shop.refused(dish, quantity, &format!("t2-{dish}")).await?;
        let took = start.elapsed();
        verdict.row(&[dish, "down", &code, &time(took)]);
        verdict.check(
            format!("{dish} is refused with PAYMENT_UNAVAILABLE"),
            &code,
            code == "PAYMENT_UNAVAILABLE",
        );
        verdict.check_speed(options.short, "refused within 1 s", time(took), took <= REFUSED);
    }
    let orders = recovered(&mut cluster, &shop, &mut verdict, options).await?;
    let audited = audit(&cluster.settings, &orders, SETTLED).await;
    verdict.audited(audited, orders.len());
    let ledger = Ledger::read(&cluster.settings).await?;
    let charged = ledger
        .payments
        .iter()
        .filter(|payment| payment.status == "APPROVED")
        .count();
    verdict.check(
        "no ticket and no charge follows a refused order",
        format!(
            "{} tickets, {charged} charges for {} orders",
            ledger.tickets.len(),
            orders.len()
        ),
        ledger.tickets.len() == orders.len() && charged == orders.len(),
    );
    cluster.shutdown().await?;
    Ok(verdict)
}

async fn recovered(
    cluster: &mut Cluster,
    shop: &Shop,
    verdict: &mut Verdict,
    options: &Options,
) -> Result<Vec<String>> {
    cluster.grow(Part::Payment).await?;
    let start = Instant::now();
    let mut orders = Vec::new();
    for attempt in 0.. {
        if let Ok(first) = shop.place("tongdak", 1, &format!("t2-again-{attempt}")).await {
            orders.push(first);
            break;
        }
        ensure!(
            start.elapsed() < PATIENCE,
            "no order is taken after payment's start"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = start.elapsed();
    orders.push(shop.place("pizza", 2, "t2-second").await?);
    verdict.row(&["tongdak", "ready again", "ok", &time(took)]);
    let wanted = "the first order is taken within 5 s of payment's readiness";
    verdict.check_speed(options.short, wanted, time(took), took <= TAKEN);
    Ok(orders)
}

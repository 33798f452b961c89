//! T2: without payment no order; with it again, orders go on.
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use baedal::demo::Account;
use baedal::settings::Part;
use baedal_tests::audit::{SETTLED, audit};
use baedal_tests::patience::until;
use baedal_tests::world::World;

use crate::on_both_stacks;

on_both_stacks!(no_order_is_taken_without_payment, no_payment);

async fn no_payment(mut world: World) -> Result<()> {
    let shop = world.shop(Account::Customer).await?;
    world.stop(Part::Payment).await;
    for (dish, quantity, key) in [("tongdak", 1, "t2-a"), ("pizza", 2, "t2-b")] {
        let start = Instant::now();
        ensure!(shop.refused(dish, quantity, key).await? == "PAYMENT_UNAVAILABLE");
        ensure!(
            start.elapsed() <= Duration::from_secs(1),
            "refused within 1 s: {:?}",
            start.elapsed()
        );
    }
    world.start(Part::Payment).await?;
    world.until_ready(Part::Payment).await?;
    let mut first = String::new();
    let start = Instant::now();
    while first.is_empty() {
        let key = format!("t2-again-{}", start.elapsed().as_millis());
        first = shop.place("tongdak", 1, &key).await.unwrap_or_default();
        ensure!(
            start.elapsed() <= Duration::from_secs(5),
            "the first order is taken within 5 s of payment's start"
        );
    }
    let second = shop.place("pizza", 2, "t2-d").await?;
    until(Duration::from_secs(10), || async {
        Ok(shop.status(&first).await? == "DELIVERED" && shop.status(&second).await? == "DELIVERED")
    })
    .await?;
    let ledger = audit(&world.settings, &[first.clone(), second.clone()], SETTLED).await?;
    ensure!(
        ledger.tickets.len() == 2,
        "no ticket ever follows a failed order: {:?}",
        ledger.tickets
    );
    let approved: Vec<_> = ledger
        .payments
        .iter()
        .filter(|payment| payment.status == "APPROVED")
        .collect();
    ensure!(approved.len() == 2, "and no charge: {approved:?}");
    world.shutdown().await;
    Ok(())
}

//! T1: the store may be down while orders come in; it catches up by itself.
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use baedal::demo::Account;
use baedal::settings::Part;
use baedal_tests::audit::{SETTLED, audit};
use baedal_tests::patience::until;
use baedal_tests::shop::Shop;
use baedal_tests::world::World;

use crate::on_both_stacks;

on_both_stacks!(orders_are_taken_while_the_store_is_down, two_orders);
on_both_stacks!(a_thousand_queued_orders_are_delivered, thousand_orders);

/// From the store's start to the last delivery.
const CATCH_UP: Duration = Duration::from_secs(10);

async fn two_orders(mut world: World) -> Result<()> {
    world.stop(Part::Store).await;
    let shop = world.shop(Account::Customer).await?;
    let orders = [
        shop.place("tongdak", 1, "t1-a").await?,
        shop.place("pizza", 2, "t1-b").await?,
    ];
    tokio::time::sleep(Duration::from_secs(1)).await;
    for order in &orders {
        ensure!(
            shop.status(order).await? == "PLACED",
            "the status does not move while the store is down"
        );
    }
    world.start(Part::Store).await?;
    until_delivered(&shop, &orders).await?;
    audit(&world.settings, &orders, SETTLED).await?;
    world.shutdown().await;
    Ok(())
}

async fn thousand_orders(mut world: World) -> Result<()> {
    world.stop(Part::Store).await;
    let shop = world.shop(Account::Customer).await?;
    let orders = shop.place_many(1000, "t1").await?;
    ensure!(orders.len() == 1000, "all are accepted");
    world.start(Part::Store).await?;
    let start = Instant::now();
    until_delivered(&shop, &orders).await?;
    eprintln!(
        "1000 queued orders were delivered {:.1} s after the store's start",
        start.elapsed().as_secs_f64()
    );
    audit(&world.settings, &orders, SETTLED).await?;
    world.shutdown().await;
    Ok(())
}

async fn until_delivered(shop: &Shop, orders: &[String]) -> Result<()> {
    until(CATCH_UP, || async {
        let delivered = shop
            .statuses()
            .await?
            .iter()
            .filter(|(_, status)| status == "DELIVERED")
            .count();
        Ok(delivered == orders.len())
    })
    .await
}

//! A consumer that was away catches up; several replicas of a service cause each effect once.
use std::time::Duration;

use anyhow::{Result, ensure};
use baedal::demo::Account;
use baedal::parts;
use baedal::settings::Part;
use baedal_tests::audit::audit;
use baedal_tests::world::{World, free_ports};

use crate::on_both_stacks;

on_both_stacks!(a_consumer_that_missed_a_hundred_events_catches_up, missed_events);
on_both_stacks!(three_replicas_cause_each_effect_once, three_replicas);

/// Rebalancing of a consumer group and the work after it.
const PATIENCE: Duration = Duration::from_secs(30);

async fn missed_events(mut world: World) -> Result<()> {
    let shop = world.shop(Account::Customer).await?;
    world.stop(Part::Marketing).await;
    let orders = shop.place_many(100, "missed").await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.start(Part::Marketing).await?;
    let ledger = audit(&world.settings, &orders, PATIENCE).await?;
    ensure!(
        ledger.feed.len() == 100,
        "each delivery is in the feed once: {}",
        ledger.feed.len()
    );
    world.shutdown().await;
    Ok(())
}

async fn three_replicas(world: World) -> Result<()> {
    let shop = world.shop(Account::Customer).await?;
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let mut settings = world.settings.clone();
        let ports = free_ports()?;
        (
            settings.ports.store,
            settings.ports.marketing,
            settings.ports.order,
        ) = (ports.store, ports.marketing, ports.order);
        for part in [Part::Store, Part::Marketing, Part::Order] {
            replicas.push(parts::start(part, &settings).await?);
        }
    }
    let mut orders = shop.place_many(60, "three").await?;
    // One of each leaves in the middle of the work.
    for replica in replicas.drain(..3) {
        replica.shutdown().await;
    }
    orders.extend(shop.place_many(60, "two").await?);
    let ledger = audit(&world.settings, &orders, PATIENCE).await?;
    ensure!(
        ledger.feed.len() == 120 && ledger.tickets.len() == 120,
        "{} feed items",
        ledger.feed.len()
    );
    for replica in replicas {
        replica.shutdown().await;
    }
    world.shutdown().await;
    Ok(())
}

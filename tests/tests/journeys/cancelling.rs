//! Giving an order up: the store decides, the money comes back once.
use std::time::Duration;

use anyhow::{Result, ensure};
use baedal::demo::Account;
use baedal::settings::Part;
use baedal_tests::audit::{SETTLED, audit};
use baedal_tests::patience::until;
use baedal_tests::shop::CANCEL_ORDER;
use baedal_tests::world::World;
use serde_json::json;

use crate::on_both_stacks;

on_both_stacks!(
    an_order_cancelled_before_the_store_saw_it_is_refunded,
    cancelled_early
);
on_both_stacks!(a_delivered_order_cannot_be_cancelled, cancelled_late);

async fn cancelled_early(mut world: World) -> Result<()> {
    world.stop(Part::Store).await;
    let shop = world.shop(Account::Customer).await?;
    let order = shop.place("tongdak", 1, "changed-my-mind").await?;
    shop.client.data(CANCEL_ORDER, json!({ "id": order })).await?;
    world.start(Part::Store).await?;
    until(Duration::from_secs(15), || async {
        Ok(shop.status(&order).await? == "CANCELLED")
    })
    .await?;
    let ledger = audit(&world.settings, std::slice::from_ref(&order), SETTLED).await?;
    ensure!(
        ledger
            .payments
            .iter()
            .any(|payment| payment.order_id == order && payment.status == "REFUNDED"),
        "{ledger:?}"
    );
    world.shutdown().await;
    Ok(())
}

async fn cancelled_late(world: World) -> Result<()> {
    let shop = world.shop(Account::Customer).await?;
    let order = shop.place("tongdak", 1, "eaten").await?;
    until(Duration::from_secs(15), || async {
        Ok(shop.status(&order).await? == "DELIVERED")
    })
    .await?;
    ensure!(shop.client.code(CANCEL_ORDER, json!({ "id": order })).await? == "INVALID_TRANSITION");
    ensure!(shop.status(&order).await? == "DELIVERED");
    audit(&world.settings, &[order], SETTLED).await?;
    world.shutdown().await;
    Ok(())
}

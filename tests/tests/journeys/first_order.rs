//! 통닭 ×1 and 피자 ×2 to 서울, paid, cooked, delivered, and seen live in the marketing feed.
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use baedal::demo::Account;
use baedal_tests::audit::{SETTLED, audit};
use baedal_tests::feed::Feed;
use baedal_tests::patience::until;
use baedal_tests::shop::{DELIVERY_FEED, MY_ORDERS};
use baedal_tests::world::World;
use serde_json::{Value, json};

use crate::on_both_stacks;

on_both_stacks!(two_orders_are_delivered_and_seen, two_orders);
on_both_stacks!(a_feed_goes_on_after_its_cursor, resumed_feed);
on_both_stacks!(an_order_with_an_idempotency_key_is_placed_once, placed_once);

async fn two_orders(world: World) -> Result<()> {
    let shop = world.shop(Account::Customer).await?;
    let token = shop.client.token().context("a token")?.to_owned();
    let mut feed = Feed::open(shop.client.url(), &token, DELIVERY_FEED, json!({})).await?;
    let chicken = shop.place("tongdak", 1, "k1").await?;
    let pizza = shop.place("pizza", 2, "k2").await?;

    let mut seen = Vec::new();
    for _ in 0..2 {
        let item = feed.next(Duration::from_secs(15)).await?["deliveryFeed"].clone();
        ensure!(
            age(&item)? <= Duration::from_secs(1),
            "seen within a second of the event: {item}"
        );
        ensure!(
            item["store"]["name"] == "서울통닭",
            "joined with the store: {item}"
        );
        seen.push((
            item["order"]["id"].as_str().unwrap_or_default().to_owned(),
            item["order"]["total"].as_i64(),
        ));
    }
    seen.sort();
    let mut expected = vec![(chicken.clone(), Some(18_000)), (pizza.clone(), Some(46_000))];
    expected.sort();
    ensure!(seen == expected, "{seen:?}");

    until(Duration::from_secs(10), || async {
        Ok(shop.status(&chicken).await? == "DELIVERED" && shop.status(&pizza).await? == "DELIVERED")
    })
    .await?;
    one_query_needs_every_subgraph(&shop.client.data(MY_ORDERS, json!({ "first": 10 })).await?)?;
    audit(&world.settings, &[chicken, pizza], SETTLED).await?;
    world.shutdown().await;
    Ok(())
}

fn one_query_needs_every_subgraph(data: &Value) -> Result<()> {
    let nodes = data["myOrders"]["nodes"].as_array().context("orders")?;
    ensure!(nodes.len() == 2, "{data}");
    for node in nodes {
        ensure!(node["status"] == "DELIVERED", "order: {node}");
        ensure!(
            node["payment"]["status"] == "APPROVED" && node["payment"]["amount"] == node["total"],
            "payment: {node}"
        );
        ensure!(node["ticket"]["status"] == "DELIVERED", "store: {node}");
        ensure!(
            node["coupon"]["id"].is_string() && node["pointsEarned"].as_i64() > Some(0),
            "marketing: {node}"
        );
        ensure!(
            node["timeline"]
                .as_array()
                .is_some_and(|timeline| timeline.len() >= 6),
            "timeline: {node}"
        );
    }
    Ok(())
}

fn age(item: &Value) -> Result<Duration> {
    let at = item["at"].as_str().context("a feed item has its event's time")?;
    let at = time::OffsetDateTime::parse(at, &time::format_description::well_known::Rfc3339)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let at = Duration::from_nanos(u64::try_from(at.unix_timestamp_nanos())?);
    Ok(now.saturating_sub(at))
}

async fn resumed_feed(world: World) -> Result<()> {
    let shop = world.shop(Account::Customer).await?;
    let token = shop.client.token().context("a token")?.to_owned();
    let mut feed = Feed::open(shop.client.url(), &token, DELIVERY_FEED, json!({})).await?;
    shop.place("tongdak", 1, "before").await?;
    let first = feed.next(Duration::from_secs(15)).await?["deliveryFeed"].clone();
    drop(feed);
    for number in 0..5 {
        shop.place("tongdak", 1, &format!("away-{number}")).await?;
    }
    until(Duration::from_secs(15), || async {
        Ok(shop
            .statuses()
            .await?
            .iter()
            .all(|(_, status)| status == "DELIVERED"))
    })
    .await?;
    let mut feed = Feed::open(
        shop.client.url(),
        &token,
        DELIVERY_FEED,
        json!({ "after": first["cursor"] }),
    )
    .await?;
    let seen = first["sequence"].as_i64().context("a sequence")?;
    for expected in seen + 1..=seen + 5 {
        let item = feed.next(Duration::from_secs(10)).await?["deliveryFeed"].clone();
        ensure!(
            item["sequence"].as_i64() == Some(expected),
            "no gap and no repetition, {expected} is next: {item}"
        );
    }
    ensure!(
        feed.next(Duration::from_millis(500)).await.is_err(),
        "nothing comes twice"
    );
    world.shutdown().await;
    Ok(())
}

async fn placed_once(world: World) -> Result<()> {
    let shop = world.shop(Account::Customer).await?;
    let first = shop.place("tongdak", 1, "same").await?;
    ensure!(
        shop.place("tongdak", 1, "same").await? == first,
        "the same order comes back"
    );
    ensure!(
        shop.refused("tongdak", 2, "same").await? == "IDEMPOTENCY_CONFLICT",
        "another order under the key is refused"
    );
    audit(&world.settings, &[first], SETTLED).await?;
    world.shutdown().await;
    Ok(())
}

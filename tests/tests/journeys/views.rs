//! Each view answers with every other service down.
use std::time::Duration;

use anyhow::{Context, Result};
use baedal::demo::Account;
use baedal::settings::Part;
use baedal_tests::patience::until;
use baedal_tests::views::VIEWS;
use baedal_tests::world::World;
use serde_json::json;

use crate::on_both_stacks;

on_both_stacks!(every_view_answers_with_all_other_services_down, views);

async fn views(mut world: World) -> Result<()> {
    let shop = world.shop(Account::Customer).await?;
    let order = shop.place("tongdak", 1, "views").await?;
    until(Duration::from_secs(15), || async {
        Ok(shop.status(&order).await? == "DELIVERED")
    })
    .await?;
    let feed = "{ myFeed(first: 1) { nodes { sequence } } }";
    until(Duration::from_secs(15), || async {
        Ok(shop.client.data(feed, json!({})).await?["myFeed"]["nodes"]
            .as_array()
            .is_some_and(|items| !items.is_empty()))
    })
    .await?;
    let mut tokens = Vec::new();
    for view in &VIEWS {
        tokens.push(world.token(view.account).await?);
    }
    for part in Part::SUBGRAPHS {
        world.stop(part).await;
    }
    for part in Part::SUBGRAPHS {
        world.start(part).await?;
        for (view, token) in VIEWS.iter().zip(&tokens).filter(|(view, _)| view.part == part) {
            for client in [world.subgraph(part), world.gateway()] {
                let client = client.with_token(token);
                view.answers(&client, &world.store_id)
                    .await
                    .with_context(|| format!("{part} alone"))?;
            }
        }
        world.stop(part).await;
    }
    world.shutdown().await;
    Ok(())
}

//! Nobody reads another customer's orders; only a store's owner moves its tickets.
use anyhow::{Result, ensure};
use baedal::demo::Account;
use baedal::settings::Part;
use baedal_tests::client::Client;
use baedal_tests::world::World;
use serde_json::json;

use crate::on_both_stacks;

on_both_stacks!(what_is_anothers_is_not_there, others_orders);

const ORDER: &str = "query ($id: ID!) { order(id: $id) { id address payment { amount } } }";
const ACCEPT: &str = "mutation ($id: ID!) { acceptOrder(orderId: $id, etaMinutes: 10) { orderId } }";

async fn others_orders(world: World) -> Result<()> {
    let shop = world.shop(Account::Customer).await?;
    let order = shop.place("tongdak", 1, "mine").await?;
    let other = world.as_account(Account::Customer2).await?;
    let (_, anothers) = other.send(ORDER, json!({ "id": order })).await?;
    let (_, nobodys) = other.send(ORDER, json!({ "id": "no-such-order" })).await?;
    ensure!(
        anothers == nobodys,
        "another's order looks like none: {anothers} and {nobodys}"
    );
    ensure!(!anothers.to_string().contains("서울"), "{anothers}");

    let operator = world.as_account(Account::Operator).await?;
    ensure!(
        operator.data(ORDER, json!({ "id": order })).await?["order"]["id"] == order.as_str(),
        "an operator sees all"
    );
    refused(&world.gateway(), &order).await?;
    refused(&other, &order).await?;
    for part in [Part::Order, Part::Store] {
        let direct = world.subgraph(part).with_token(other.token().unwrap_or_default());
        let query = if part == Part::Order {
            "mutation ($id: ID!) { cancelOrder(id: $id) { id } }"
        } else {
            ACCEPT
        };
        ensure!(
            direct.send(query, json!({ "id": order })).await?.1["errors"].is_array(),
            "{part} itself refuses too"
        );
    }
    world.shutdown().await;
    Ok(())
}

async fn refused(client: &Client, order: &str) -> Result<()> {
    let (_, answer) = client.send(ACCEPT, json!({ "id": order })).await?;
    ensure!(
        answer["errors"].is_array() && answer["data"]["acceptOrder"].is_null(),
        "a stranger moves no ticket: {answer}"
    );
    Ok(())
}

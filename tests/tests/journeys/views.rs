//! Each view answers with every other service down.
use std::time::Duration;

use anyhow::{Result, ensure};
use baedal::demo::Account;
use baedal::settings::Part;
use baedal_tests::patience::until;
use baedal_tests::world::World;
use serde_json::{Value, json};

use crate::on_both_stacks;

on_both_stacks!(every_view_answers_with_all_other_services_down, views);

/// Whose view, who reads it, what is asked (`$store` is the store), and the place in the answer that must be there.
const VIEWS: [(Part, Account, &str, &str); 12] = [
    (
        Part::Order,
        Account::Customer,
        "{ myOrders(first: 5) { nodes { status unified { paymentStatus ticketStatus } } } }",
        "/myOrders/nodes/0/unified/ticketStatus",
    ),
    (
        Part::Order,
        Account::Operator,
        "{ stuckOrders(first: 5) { nodes { id } } }",
        "/stuckOrders/nodes",
    ),
    (
        Part::Store,
        Account::Owner,
        "query ($store: ID!) { ticketBoard(storeId: $store, first: 5) { nodes { orderId status } } }",
        "/ticketBoard/nodes/0/orderId",
    ),
    (
        Part::Store,
        Account::Customer,
        "query ($store: ID!) { store(id: $store) { name menu { name price } } }",
        "/store/menu/0/price",
    ),
    (
        Part::Store,
        Account::Owner,
        "query ($store: ID!) { sales(storeId: $store) { orders revenue } }",
        "/sales/revenue",
    ),
    (
        Part::Marketing,
        Account::Customer,
        "{ myFeed(first: 5) { nodes { sequence points } } }",
        "/myFeed/nodes/0/points",
    ),
    (
        Part::Marketing,
        Account::Customer,
        "{ myPoints { balance } }",
        "/myPoints/balance",
    ),
    (
        Part::Payment,
        Account::Customer,
        "{ myPayments(first: 5) { nodes { status amount } } }",
        "/myPayments/nodes/0/amount",
    ),
    (
        Part::Order,
        Account::Operator,
        "{ orderOperations { outboxWaiting deadLetters } }",
        "/orderOperations/deadLetters",
    ),
    (
        Part::Payment,
        Account::Operator,
        "{ paymentOperations { outboxWaiting deadLetters } }",
        "/paymentOperations/deadLetters",
    ),
    (
        Part::Store,
        Account::Operator,
        "{ storeOperations { outboxWaiting deadLetters } }",
        "/storeOperations/deadLetters",
    ),
    (
        Part::Marketing,
        Account::Operator,
        "{ marketingOperations { outboxWaiting deadLetters } }",
        "/marketingOperations/deadLetters",
    ),
];

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
    for (_, account, ..) in VIEWS {
        tokens.push(world.token(account).await?);
    }
    for part in Part::SUBGRAPHS {
        world.stop(part).await;
    }
    for part in Part::SUBGRAPHS {
        world.start(part).await?;
        for ((_, _, query, place), token) in VIEWS
            .iter()
            .zip(&tokens)
            .filter(|((owner, ..), _)| *owner == part)
        {
            let variables = if query.contains("$store") {
                json!({ "store": world.store_id })
            } else {
                json!({})
            };
            let direct = world.subgraph(part).with_token(token);
            let through_gateway = world.gateway().with_token(token);
            for client in [direct, through_gateway] {
                let data = client.data(query, variables.clone()).await?;
                ensure!(
                    data.pointer(place).is_some_and(|value| *value != Value::Null),
                    "{part} alone: {query} gave {data}"
                );
            }
        }
        world.stop(part).await;
    }
    world.shutdown().await;
    Ok(())
}

//! Stuck orders.
use anyhow::Result;
use serde_json::{Value, json};

use super::args::Orders;
use super::client::Gateway;
use super::{Found, table};

const STUCK: &str = "query ($age: Int!, $first: Int!) { stuckOrders(olderThanSeconds: $age, first: $first) { \
    nodes { id status statusSince customerId total } pageInfo { hasNextPage } } }";
/// An order that a store has not accepted yet waits lawfully for half an hour; the rest takes a meal's time.
const COUNTED_AGE: u32 = 2 * 60 * 60;

/// A table of them.
pub(super) async fn stuck(gateway: &Gateway, asked: &Orders, json: bool) -> Result<Found> {
    let variables = json!({ "age": asked.older_than, "first": asked.first });
    let data = gateway.data(STUCK, variables).await?;
    let orders = nodes(&data);
    if json {
        println!("{:#}", data["stuckOrders"]);
        return Ok(Found::attention(!orders.is_empty()));
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows: Vec<Vec<String>> = orders
        .iter()
        .map(|order| {
            ["id", "status", "statusSince", "customerId", "total"]
                .map(|field| text(&order[field]))
                .to_vec()
        })
        .collect();
    match rows.is_empty() {
        true => println!(
            "No order has been in a passing status for {} s.",
            asked.older_than
        ),
        false => table::print(&["ORDER", "STATUS", "SINCE", "CUSTOMER", "TOTAL"], &rows),
    }
    if data["stuckOrders"]["pageInfo"]["hasNextPage"] == true {
        println!("… and more (--first shows up to 100)");
    }
    Ok(Found::attention(!orders.is_empty()))
}

/// One line: how many have been on their way for two hours.
pub(super) async fn count(gateway: &Gateway) -> Result<Found> {
    let answer = gateway
        .ask(STUCK, json!({ "age": COUNTED_AGE, "first": 100 }))
        .await?;
    if answer.data.is_null() {
        println!("Stuck orders: {}", table::short(&answer.errors.join("; "), 100));
        return Ok(Found::Attention);
    }
    let count = nodes(&answer.data).len();
    let more = if count == 100 { " or more" } else { "" };
    println!("Stuck orders (two hours in a passing status): {count}{more}");
    Ok(Found::attention(count > 0))
}

fn nodes(data: &Value) -> &[Value] {
    data["stuckOrders"]["nodes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

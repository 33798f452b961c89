//! What a customer does through the gateway.
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::client::Client;

/// Client operations as they are recorded in `schema/operations/`.
pub const PLACE_ORDER: &str = include_str!("../../schema/operations/place-order.graphql");
/// The customer's orders, joined over all subgraphs.
pub const MY_ORDERS: &str = include_str!("../../schema/operations/my-orders.graphql");
/// The live feed.
pub const DELIVERY_FEED: &str = include_str!("../../schema/operations/delivery-feed.graphql");
/// Giving an order up.
pub const CANCEL_ORDER: &str = include_str!("../../schema/operations/cancel-order.graphql");

/// A customer at the gateway.
#[derive(Clone)]
pub struct Shop {
    /// With the customer's token.
    pub client: Client,
    /// Where the orders go.
    pub store_id: String,
}

/// What an order of `quantity` of one dish to 서울 looks like.
pub fn order_of(store_id: &str, dish: &str, quantity: u32, key: &str) -> Value {
    json!({ "input": {
        "storeId": store_id, "address": "서울", "idempotencyKey": key,
        "items": [{ "menuItemId": dish, "quantity": quantity }],
    } })
}

impl Shop {
    /// Places an order and returns its id: it is acknowledged.
    ///
    /// # Errors
    /// It is refused.
    pub async fn place(&self, dish: &str, quantity: u32, key: &str) -> Result<String> {
        let data = self
            .client
            .data(PLACE_ORDER, order_of(&self.store_id, dish, quantity, key))
            .await?;
        let id = data["placeOrder"]["id"].as_str().context("an order has an id")?;
        Ok(id.to_owned())
    }

    /// Places `count` orders, a few at a time, until each is acknowledged. A refusal for want of payment is
    /// an honest answer of a busy machine; the customer tries again with a new key.
    ///
    /// # Errors
    /// Any other refusal, or ten for one order.
    pub async fn place_many(&self, count: usize, name: &str) -> Result<Vec<String>> {
        let one = |number: usize| async move {
            for attempt in 0..10 {
                match self
                    .place("tongdak", 1, &format!("{name}-{number}-{attempt}"))
                    .await
                {
                    Err(error) if error.to_string().contains("PAYMENT_UNAVAILABLE") => {
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                    outcome => return outcome,
                }
            }
            bail!("order {number} was refused ten times")
        };
        stream::iter(0..count)
            .map(one)
            .buffer_unordered(8)
            .try_collect()
            .await
    }

    /// The code with which an order is refused.
    ///
    /// # Errors
    /// It is accepted.
    pub async fn refused(&self, dish: &str, quantity: u32, key: &str) -> Result<String> {
        self.client
            .code(PLACE_ORDER, order_of(&self.store_id, dish, quantity, key))
            .await
    }

    /// The status of an order.
    ///
    /// # Errors
    /// The order is not there.
    pub async fn status(&self, id: &str) -> Result<String> {
        let data = self
            .client
            .data(
                "query ($id: ID!) { order(id: $id) { status } }",
                json!({ "id": id }),
            )
            .await?;
        Ok(data["order"]["status"]
            .as_str()
            .with_context(|| format!("no order {id}"))?
            .to_owned())
    }

    /// Every order of the customer with its status, newest first.
    ///
    /// # Errors
    /// The gateway's errors.
    pub async fn statuses(&self) -> Result<Vec<(String, String)>> {
        const PAGE: &str = "query ($after: String) { myOrders(first: 100, after: $after) { nodes { id status } pageInfo { hasNextPage endCursor } } }";
        let (mut all, mut after) = (Vec::new(), Value::Null);
        for _ in 0..100 {
            let data = self.client.data(PAGE, json!({ "after": after })).await?;
            let page = &data["myOrders"];
            for node in page["nodes"].as_array().context("orders")? {
                let text = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
                all.push((text("id"), text("status")));
            }
            if page["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        Ok(all)
    }

    /// Whether order has learnt the store's menu: only then it knows that a dish is not on it.
    ///
    /// # Errors
    /// The gateway's errors.
    pub async fn knows_the_menu(&self) -> Result<bool> {
        let (_, answer) = self
            .client
            .send(PLACE_ORDER, order_of(&self.store_id, "no-such-dish", 1, "probe"))
            .await?;
        Ok(answer["errors"][0]["extensions"]["code"] == "MENU_ITEM_UNKNOWN")
    }
}

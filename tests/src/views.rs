//! The views of the platform: each answers from its own service's store, whoever else is down.
use anyhow::{Result, ensure};
use baedal::demo::Account;
use baedal::settings::Part;
use serde_json::{Value, json};

use crate::client::Client;

/// A view: who has it, who reads it, what is asked (`$store` is the store), and the place in the answer that is there.
pub struct View {
    /// Whose it is.
    pub part: Part,
    /// Who reads it.
    pub account: Account,
    query: &'static str,
    place: &'static str,
}

const fn view(part: Part, account: Account, query: &'static str, place: &'static str) -> View {
    View {
        part,
        account,
        query,
        place,
    }
}

/// All of them; an order must have been delivered before.
pub const VIEWS: [View; 12] = [
    view(
        Part::Order,
        Account::Customer,
        "{ myOrders(first: 5) { nodes { status unified { paymentStatus ticketStatus } } } }",
        "/myOrders/nodes/0/unified/ticketStatus",
    ),
    view(
        Part::Order,
        Account::Operator,
        "{ stuckOrders(first: 5) { nodes { id } } }",
        "/stuckOrders/nodes",
    ),
    view(
        Part::Store,
        Account::Owner,
        "query ($store: ID!) { ticketBoard(storeId: $store, first: 5) { nodes { orderId status } } }",
        "/ticketBoard/nodes/0/orderId",
    ),
    view(
        Part::Store,
        Account::Customer,
        "query ($store: ID!) { store(id: $store) { name menu { name price } } }",
        "/store/menu/0/price",
    ),
    view(
        Part::Store,
        Account::Owner,
        "query ($store: ID!) { sales(storeId: $store) { orders revenue } }",
        "/sales/revenue",
    ),
    view(
        Part::Marketing,
        Account::Customer,
        "{ myFeed(first: 5) { nodes { sequence points } } }",
        "/myFeed/nodes/0/points",
    ),
    view(
        Part::Marketing,
        Account::Customer,
        "{ myPoints { balance } }",
        "/myPoints/balance",
    ),
    view(
        Part::Payment,
        Account::Customer,
        "{ myPayments(first: 5) { nodes { status amount } } }",
        "/myPayments/nodes/0/amount",
    ),
    view(
        Part::Order,
        Account::Operator,
        "{ orderOperations { outboxWaiting deadLetters } }",
        "/orderOperations/deadLetters",
    ),
    view(
        Part::Payment,
        Account::Operator,
        "{ paymentOperations { outboxWaiting deadLetters } }",
        "/paymentOperations/deadLetters",
    ),
    view(
        Part::Store,
        Account::Operator,
        "{ storeOperations { outboxWaiting deadLetters } }",
        "/storeOperations/deadLetters",
    ),
    view(
        Part::Marketing,
        Account::Operator,
        "{ marketingOperations { outboxWaiting deadLetters } }",
        "/marketingOperations/deadLetters",
    ),
];

impl View {
    /// Demands that the view answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn answers(&self, client: &Client, store_id: &str) -> Result<()> {
        let variables = match self.query.contains("$store") {
            true => json!({ "store": store_id }),
            false => json!({}),
        };
        let data = client.data(self.query, variables).await?;
        let there = data
            .pointer(self.place)
            .is_some_and(|value| *value != Value::Null);
        ensure!(there, "{}: {} gave {data}", self.part, self.query);
        Ok(())
    }
}

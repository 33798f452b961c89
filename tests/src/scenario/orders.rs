//! Placing orders as a load, and what their outcomes are called.
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::Knobs;
use crate::load::{Outcome, Turn};
use crate::shop::{PLACE_ORDER, Shop, order_of};

/// Refused at once: payment was not asked.
pub const REJECTED: &str = "rejected at once";
/// Payment was asked and did not answer in time.
pub const TIMED_OUT: &str = "timed out";
/// Refused without a word on when to come again.
pub const NO_RETRY_AFTER: &str = "rejected without retry-after";

/// Ids of orders that were acknowledged.
pub type Acknowledged = Arc<Mutex<Vec<String>>>;

/// Customers who order.
#[derive(Clone)]
pub struct Orders {
    customers: Arc<[Shop]>,
    run: String,
    /// Of a payment: what is refused sooner was not asked.
    deadline: Duration,
    acknowledged: Acknowledged,
}

impl Orders {
    /// Orders of these customers; `run` tells the keys of one run from those of another.
    pub fn of(customers: Vec<Shop>, run: impl ToString) -> Orders {
        Orders {
            customers: customers.into(),
            run: run.to_string(),
            deadline: Knobs::default().deadline,
            acknowledged: Arc::default(),
        }
    }

    /// With another deadline of payments.
    pub fn with_deadline(self, deadline: Duration) -> Orders {
        Orders { deadline, ..self }
    }

    /// The same customers with keys of their own: for another load on the same platform.
    pub fn half(&self, number: u64) -> Orders {
        Orders {
            run: format!("{}-{number}", self.run),
            ..self.clone()
        }
    }

    /// Ids of the orders that were acknowledged so far.
    pub fn acknowledged(&self) -> Acknowledged {
        Arc::clone(&self.acknowledged)
    }

    /// The customer that stands for a user of the load.
    pub fn customer(&self, user: usize) -> &Shop {
        &self.customers[user % self.customers.len()]
    }

    /// Places one order.
    pub async fn place(self, turn: Turn) -> Outcome {
        let shop = self.customer(turn.user);
        let key = self.key(&turn);
        let start = Instant::now();
        let variables = order_of(&shop.store_id, "tongdak", 1, &key);
        match shop.client.send(PLACE_ORDER, variables).await {
            Ok((_, body)) => self.outcome(&body, start.elapsed()),
            Err(error) => Outcome::refused(format!("no answer: {}", error.root_cause()), None),
        }
    }

    /// The idempotency key of an order.
    pub fn key(&self, turn: &Turn) -> String {
        format!("{}-{}-{}", self.run, turn.user, turn.number)
    }

    /// Whether the order was taken, which is remembered; else the code.
    pub fn took(&self, body: &Value) -> Outcome {
        self.outcome(body, Duration::ZERO)
    }

    fn outcome(&self, body: &Value, took: Duration) -> Outcome {
        if let Some(id) = body["data"]["placeOrder"]["id"].as_str() {
            let mut acknowledged = self.acknowledged.lock().expect("no holder panics");
            acknowledged.push(id.to_owned());
            return Outcome::ok();
        }
        let extensions = &body["errors"][0]["extensions"];
        let retry_after = extensions["retryAfterMs"].as_u64().map(Duration::from_millis);
        match extensions["code"].as_str() {
            Some("PAYMENT_UNAVAILABLE") if took >= self.deadline => Outcome::refused(TIMED_OUT, None),
            Some("PAYMENT_UNAVAILABLE") if retry_after.is_none() => Outcome::refused(NO_RETRY_AFTER, None),
            Some("PAYMENT_UNAVAILABLE") => Outcome::refused(REJECTED, retry_after),
            Some(code) => Outcome::refused(code.to_owned(), retry_after),
            None => Outcome::refused(format!("not an answer: {body}"), None),
        }
    }
}

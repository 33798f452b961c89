//! Customers who order all the time, and remember what they were told.
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use baedal::demo::Account;
use baedal::login;
use baedal::settings::{Part, Settings};
use serde_json::Value;
use tokio::task::JoinSet;

use super::Violated;
use crate::client::Client;
use crate::patience::until;
use crate::shop::{PLACE_ORDER, Shop, order_of};

/// How long a customer tries one order again before giving it up.
const STUBBORN: Duration = Duration::from_secs(20);
/// How long a customer waits for one answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Codes that ask to repeat the request with the same key.
const AGAIN: [&str; 3] = ["PAYMENT_PENDING", "STORE_UNAVAILABLE", "SERVICE_UNAVAILABLE"];
/// Codes that end an attempt: the next one takes a new key.
const ENDED: [&str; 2] = ["PAYMENT_UNAVAILABLE", "PAYMENT_DECLINED"];

/// What customers were told.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// The order each key was acknowledged with.
    pub acknowledged: BTreeMap<String, String>,
    /// Keys that were used.
    pub keys: usize,
    /// How often each code was answered.
    pub refused: BTreeMap<String, usize>,
    /// Requests that got no answer.
    pub unanswered: usize,
    /// Keys that gave two different orders.
    pub torn: Vec<String>,
    /// How long acknowledged orders took, with when.
    pub latencies: Vec<(Instant, Duration)>,
    /// How long refusals for want of payment took.
    pub refusals: Vec<Duration>,
    /// Uncoded errors, the first of them.
    pub uncoded: Vec<String>,
}

impl Tally {
    /// Puts another tally to this one.
    pub fn add(&mut self, other: Tally) {
        self.acknowledged.extend(other.acknowledged);
        self.keys += other.keys;
        for (code, count) in other.refused {
            *self.refused.entry(code).or_default() += count;
        }
        self.unanswered += other.unanswered;
        self.torn.extend(other.torn);
        self.latencies.extend(other.latencies);
        self.refusals.extend(other.refusals);
        self.uncoded.extend(other.uncoded);
    }

    /// The orders that were acknowledged.
    pub fn orders(&self) -> Vec<String> {
        self.acknowledged.values().cloned().collect()
    }

    /// The `percent`th percentile of the time acknowledged orders took, of those answered between two moments.
    pub fn percentile(&self, percent: usize, from: Instant, to: Instant) -> Duration {
        let of = self.latencies.iter().filter(|(at, _)| (from..to).contains(at));
        let mut of: Vec<Duration> = of.map(|(_, took)| *took).collect();
        of.sort_unstable();
        let index = (of.len() * percent / 100).min(of.len().saturating_sub(1));
        of.get(index).copied().unwrap_or_default()
    }

    /// # Errors
    /// A key that gave two orders, or an answer without a code.
    pub fn sound(&self) -> Result<()> {
        if let Some(torn) = self.torn.first() {
            return Err(Violated(format!("one key, two orders: {torn}")).into());
        }
        match self.uncoded.first() {
            Some(error) => Err(Violated(format!("an error without a code: {error}")).into()),
            None => Ok(()),
        }
    }
}

/// Customers who order until they are stopped.
pub struct Load {
    running: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    tasks: JoinSet<()>,
}

impl Load {
    /// `customers` customers at a gateway's GraphQL endpoint; their keys begin with `name`.
    pub fn start(shop: &Shop, customers: usize, name: &str) -> Load {
        let (running, tally) = (
            Arc::new(AtomicBool::new(true)),
            Arc::new(Mutex::new(Tally::default())),
        );
        let number = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..customers {
            let customer = Customer {
                client: shop.client.within(ANSWER),
                store: shop.store_id.clone(),
                running: running.clone(),
                tally: tally.clone(),
                number: number.clone(),
                name: name.to_owned(),
            };
            tasks.spawn(customer.order_on_and_on());
        }
        Load {
            running,
            tally,
            tasks,
        }
    }

    /// What they were told so far.
    pub fn so_far(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many orders are acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.acknowledged.len()
    }

    /// Waits until another `count` orders are acknowledged; says how long it took.
    ///
    /// # Errors
    /// They are not within `patience`.
    pub async fn goes_on(&self, count: usize, patience: Duration) -> Result<Duration> {
        let (start, before) = (Instant::now(), self.acknowledged());
        until(patience, || async { Ok(self.acknowledged() >= before + count) })
            .await
            .map_err(|_| Violated(format!("no {count} more orders are taken within {patience:?}")))?;
        Ok(start.elapsed())
    }

    /// Ends it; what they were told.
    pub async fn stop(mut self) -> Tally {
        self.running.store(false, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
        self.so_far()
    }
}

struct Customer {
    client: Client,
    store: String,
    running: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    number: Arc<AtomicUsize>,
    name: String,
}

/// What came of one request.
enum Answer {
    Acknowledged(String),
    Refused(String),
    Uncoded(String),
    None,
}

impl Customer {
    async fn order_on_and_on(self) {
        while self.running.load(Ordering::Relaxed) {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            self.order(&format!("{}-{number}", self.name), number.is_multiple_of(8))
                .await;
        }
    }

    /// Orders until the order is taken or refused for good. Now and then it asks again with the same key.
    async fn order(&self, key: &str, twice: bool) {
        let start = Instant::now();
        self.note(|tally| tally.keys += 1);
        while start.elapsed() < STUBBORN {
            let asked = Instant::now();
            let answer = self.ask(key).await;
            self.note(|tally| tally.hear(key, &answer, asked.elapsed()));
            match answer {
                Answer::Acknowledged(_) => break,
                Answer::Refused(code) if ENDED.contains(&code.as_str()) => return,
                Answer::Refused(code) if !AGAIN.contains(&code.as_str()) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ => tokio::time::sleep(Duration::from_millis(30)).await,
            }
            if !self.running.load(Ordering::Relaxed) {
                return;
            }
        }
        if twice {
            let asked = Instant::now();
            let answer = self.ask(key).await;
            self.note(|tally| tally.hear(key, &answer, asked.elapsed()));
        }
    }

    async fn ask(&self, key: &str) -> Answer {
        let sent = self
            .client
            .send(PLACE_ORDER, order_of(&self.store, "tongdak", 1, key))
            .await;
        let Ok((status, body)) = sent else {
            return Answer::None;
        };
        let error = &body["errors"][0];
        match (
            body["data"]["placeOrder"]["id"].as_str(),
            error["extensions"]["code"].as_str(),
        ) {
            (Some(id), _) => Answer::Acknowledged(id.to_owned()),
            (None, Some(code)) => Answer::Refused(code.to_owned()),
            (None, None) if *error == Value::Null => Answer::None,
            (None, None) => Answer::Uncoded(format!("{status} {body}")),
        }
    }

    fn note(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Tally {
    fn hear(&mut self, key: &str, answer: &Answer, took: Duration) {
        match answer {
            Answer::Acknowledged(id) => {
                let before = self.acknowledged.insert(key.to_owned(), id.clone());
                if let Some(before) = before.filter(|before| before != id) {
                    self.torn.push(format!("{key}: {before} and {id}"));
                }
                self.latencies.push((Instant::now(), took));
            }
            Answer::Refused(code) => {
                if code == "PAYMENT_UNAVAILABLE" {
                    self.refusals.push(took);
                }
                *self.refused.entry(code.clone()).or_default() += 1;
            }
            Answer::Uncoded(text) => self.uncoded.push(text.clone()),
            Answer::None => self.unanswered += 1,
        }
    }
}

/// The demo customer at the gateway of `settings`, once orders are taken there.
///
/// # Errors
/// No login, or no order is taken within a minute.
pub async fn customer(settings: &Settings) -> Result<Shop> {
    customer_at(settings, settings.graphql(Part::Gateway)).await
}

/// The demo customer at this GraphQL endpoint.
///
/// # Errors
/// See [`customer`].
pub async fn customer_at(settings: &Settings, url: String) -> Result<Shop> {
    let account = Account::Customer;
    let (login, password) = (account.login(), account.password());
    let tokens = login::account::login(&settings.issuer(), None, login, password, account.scopes()).await?;
    let shop = Shop {
        client: Client::new(url).with_token(tokens.access),
        store_id: "store-seoul".to_owned(),
    };
    until(Duration::from_secs(60), || shop.knows_the_menu())
        .await
        .context("order learns the menus")?;
    Ok(shop)
}

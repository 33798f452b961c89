//! Subscriptions to the delivery feed whose clients come back with their cursor, and what they saw.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::audit::Ledger;
use crate::feed::Feed;
use crate::patience::until;
use crate::scenario::Verdict;
use crate::shop::Shop;

const FEED: &str = "subscription ($after: String) { deliveryFeed(after: $after) { cursor sequence } }";
/// Pause before a client comes back.
const AGAIN: Duration = Duration::from_millis(100);
/// An event may be this long in coming; then the client comes back, just to be sure.
const SILENCE: Duration = Duration::from_secs(300);
/// How long the last events may take when the books are settled.
const LAST: Duration = Duration::from_secs(60);

/// Open subscriptions. Dropped, they end.
pub struct Feeds {
    seen: Vec<Seen>,
    customers: usize,
    _clients: JoinSet<()>,
}

type Seen = Arc<Mutex<Log>>;

#[derive(Default)]
struct Log {
    sequences: Vec<i64>,
    cursor: Option<String>,
    connected: usize,
}

impl Feeds {
    /// Opens `count` subscriptions, those of the customers in turn, and waits until each is.
    ///
    /// # Errors
    /// One that cannot be opened.
    pub async fn open(customers: &[Shop], count: usize) -> Result<Feeds> {
        let (mut clients, mut seen) = (JoinSet::new(), Vec::new());
        for number in 0..count {
            let (log, customer) = (Seen::default(), customers[number % customers.len()].clone());
            seen.push(Arc::clone(&log));
            clients.spawn(follow(customer, log));
        }
        let connected = |log: &Seen| log.lock().expect("no holder panics").connected > 0;
        until(LAST, || async { Ok(seen.iter().all(connected)) })
            .await
            .context("the subscriptions open")?;
        Ok(Feeds {
            seen,
            customers: customers.len(),
            _clients: clients,
        })
    }

    /// Demands that each client saw every item of its customer's feed once and in order, up to the last of the books.
    ///
    /// # Errors
    /// A customer without a subject.
    pub async fn judge(&self, verdict: &mut Verdict, ledger: &Ledger, subs: &[String]) -> Result<()> {
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for (customer, sequence, _) in &ledger.feed {
            let newest = last.entry(customer).or_default();
            *newest = (*newest).max(*sequence);
        }
        let of = |number: usize| {
            last.get(subs[number % self.customers].as_str())
                .copied()
                .unwrap_or(0)
        };
        let wrong = || self.wrong(of);
        let waited = until(LAST, || async { Ok(wrong().is_empty()) }).await;
        let found = wrong();
        let items: usize = self.seen.iter().map(|log| lock(log).sequences.len()).sum();
        let resumed: usize = self.seen.iter().map(|log| lock(log).connected - 1).sum();
        let told = format!(
            "{} subscriptions, {items} items, {resumed} resumptions, {}",
            self.seen.len(),
            found.join("; ")
        );
        verdict.check(
            "no gap and no duplicate in any feed",
            told,
            waited.is_ok() && items > 0,
        );
        Ok(())
    }

    fn wrong(&self, last: impl Fn(usize) -> i64) -> Vec<String> {
        let problem = |(number, log): (usize, &Seen)| {
            let sequences = &lock(log).sequences;
            let whole = sequences.iter().copied().eq(1..=last(number));
            let tail = &sequences[sequences.len().saturating_sub(5)..];
            (!whole).then(|| {
                format!(
                    "feed {number} should end with {} and ends with {tail:?}",
                    last(number)
                )
            })
        };
        self.seen.iter().enumerate().filter_map(problem).take(5).collect()
    }
}

fn lock(log: &Seen) -> std::sync::MutexGuard<'_, Log> {
    log.lock().expect("no holder panics")
}

/// One client, to its end: whenever its stream ends it comes back with the cursor of the last item it saw.
async fn follow(customer: Shop, log: Seen) {
    let token = customer.client.token().unwrap_or_default().to_owned();
    loop {
        let after = lock(&log).cursor.clone();
        if let Ok(mut feed) = Feed::open(customer.client.url(), &token, FEED, json!({ "after": after })).await
        {
            lock(&log).connected += 1;
            while let Ok(data) = feed.next(SILENCE).await {
                note(&log, &data["deliveryFeed"]);
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn note(log: &Seen, item: &Value) {
    let mut log = lock(log);
    log.sequences.push(item["sequence"].as_i64().unwrap_or(-1));
    log.cursor = item["cursor"].as_str().map(str::to_owned);
}

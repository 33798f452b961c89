//! What the circuit to payment does during a load: looked at from outside, through the operator's view, and compared
//! with the payments that were asked for.
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use baedal::demo::Account;
use baedal::settings::{Part, Settings};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection, Row};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::cluster::Cluster;

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(20);
/// Calls that a half-open circuit lets through.
const PROBES: usize = 5;
const VIEW: &str = "{ paymentCircuit { state opened halfOpened closed rejected } }";

/// A look at the circuit.
struct Look {
    /// Milliseconds since 1970, before the question and after the answer.
    between: (i64, i64),
    state: String,
    counts: [u64; 4],
}

/// A circuit being looked at.
pub struct Watching {
    stop: CancellationToken,
    looks: JoinHandle<Vec<Look>>,
}

/// What was seen.
pub struct Watch {
    /// How often it opened.
    pub opened: u64,
    half_opened: u64,
    closed: u64,
    rejected: u64,
    /// Payments asked for while it was certainly half-open, per time that was seen.
    probes: Vec<usize>,
}

/// Begins to look at the circuit of the one order service; `enough` is cancelled when it has closed again twice.
pub async fn watch(cluster: &Cluster, enough: Option<CancellationToken>) -> Result<Watching> {
    let token = cluster.token(Account::Operator).await?;
    let order = Client::new(cluster.settings.graphql(Part::Order)).with_token(token);
    let stop = CancellationToken::new();
    let looks = tokio::spawn(look_until(order, stop.clone(), enough));
    Ok(Watching { stop, looks })
}

async fn look_until(order: Client, stop: CancellationToken, enough: Option<CancellationToken>) -> Vec<Look> {
    let mut looks = Vec::new();
    while !stop.is_cancelled() {
        let asked = now();
        if let Ok(data) = order.data(VIEW, json!({})).await {
            let look = Look::read(&data["paymentCircuit"], (asked, now()));
            if let Some(enough) = enough.as_ref().filter(|_| look.counts[2] >= 2) {
                enough.cancel();
            }
            looks.push(look);
        }
        tokio::time::sleep(EVERY).await;
    }
    looks
}

impl Look {
    fn read(circuit: &Value, between: (i64, i64)) -> Look {
        let names = ["opened", "halfOpened", "closed", "rejected"];
        Look {
            between,
            state: circuit["state"].as_str().unwrap_or_default().to_owned(),
            counts: names.map(|name| circuit[name].as_u64().unwrap_or(0)),
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Watching {
    /// Stops looking, and asks payment's books when it was asked for payments.
    ///
    /// # Errors
    /// The circuit was never seen, or the books cannot be read.
    pub async fn end(self, settings: &Settings) -> Result<Watch> {
        self.stop.cancel();
        let looks = self.looks.await?;
        let [opened, half_opened, closed, rejected] =
            looks.last().context("the circuit was never seen")?.counts;
        let asked = asked_at(settings).await?;
        let between =
            |(from, until): &(i64, i64)| asked.iter().filter(|at| (*from..=*until).contains(*at)).count();
        Ok(Watch {
            opened,
            half_opened,
            closed,
            rejected,
            probes: half_open(&looks).iter().map(between).collect(),
        })
    }
}

/// The times it was half-open: from the answer that last said "open" to the question that was last answered "half-open".
/// Whatever was let through before is then older, whatever is let through after is newer.
fn half_open(looks: &[Look]) -> Vec<(i64, i64)> {
    let (mut windows, mut opened) = (Vec::new(), None);
    for (number, look) in looks.iter().enumerate() {
        match look.state.as_str() {
            "OPEN" => opened = Some(look.between.0),
            "HALF_OPEN" => {
                let goes_on = looks.get(number + 1).is_some_and(|next| next.state == look.state);
                if let (Some(from), false) = (opened, goes_on) {
                    windows.push((from, look.between.0));
                }
            }
            _ => opened = None,
        }
    }
    windows
}

/// When payments were asked for, from payment's books.
async fn asked_at(settings: &Settings) -> Result<Vec<i64>> {
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&settings.database(Part::Payment)).await?;
    let rows =
        sqlx::query("SELECT requested_at FROM payments WHERE status <> 'VOIDED' OR reference IS NOT NULL")
            .fetch_all(&mut connection)
            .await?;
    let times = rows.iter().map(|row| Ok(row.try_get(0)?)).collect();
    connection.close().await?;
    times
}

impl Watch {
    /// How often it went from open over half-open to closed.
    pub fn rounds(&self) -> u64 {
        self.closed.min(self.half_opened).min(self.opened)
    }

    /// What it did, in words.
    pub fn story(&self) -> String {
        format!(
            "opened {}, half-open {}, closed again {}, rejected {}",
            self.opened, self.half_opened, self.closed, self.rejected
        )
    }

    /// What passed while half-open, in words.
    pub fn probes_told(&self) -> String {
        format!(
            "{:?} payments asked for while half-open ({PROBES} permitted)",
            self.probes
        )
    }

    /// Whether no more than the probes passed, of what was seen.
    pub fn only_probes_passed(&self) -> bool {
        !self.probes.is_empty() && self.probes.iter().all(|passed| *passed <= PROBES)
    }
}

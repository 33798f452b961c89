//! Requests at a steady rate: each is due at a moment, and its latency counts from then, so that a gateway that stands
//! still is seen by all that should have come meanwhile.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::graph::{ANSWER, QUERY, ask};
use crate::load::{Connection, Exchange};

/// Connections that are kept.
const CONNECTIONS: u32 = 32;
/// How often a connection is opened anew for one request.
const FRESH: Duration = Duration::from_millis(50);

/// What was seen since it was looked at last.
#[derive(Default)]
pub struct Seen {
    /// In nanoseconds, from when the request was due.
    pub latencies: Vec<u64>,
    /// Requests that failed: no connection, no answer, or a wrong one.
    pub failed: usize,
    /// Why the first of them did.
    pub why: Option<String>,
}

impl Seen {
    /// Adds what was seen at another time.
    pub fn add(&mut self, other: Seen) {
        self.latencies.extend(other.latencies);
        self.failed += other.failed;
        self.why = self.why.take().or(other.why);
    }

    /// The latency that 99 of 100 did not exceed, in milliseconds.
    pub fn p99(&self) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * 99 / 100).min(sorted.len().saturating_sub(1));
        sorted.get(at).map_or(f64::NAN, |latency| *latency as f64 / 1e6)
    }
}

/// The load. Dropped, it ends.
pub struct Load {
    seen: Arc<Mutex<Seen>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Load {
    /// So many requests in a second, until it is dropped.
    pub fn start(gateway: SocketAddr, rate: u32) -> Load {
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let pause = Duration::from_secs(1) * CONNECTIONS / rate.max(1);
        let begin = Instant::now();
        let kept = |number: u32| {
            let first = begin + pause * number / CONNECTIONS;
            tokio::spawn(keep_asking(gateway, first, pause, Arc::clone(&seen)))
        };
        let mut tasks: Vec<_> = (0..CONNECTIONS).map(kept).collect();
        tasks.push(tokio::spawn(keep_coming(gateway, Arc::clone(&seen))));
        Load { seen, tasks }
    }

    /// What was seen since the last time.
    pub fn cut(&self) -> Seen {
        std::mem::take(&mut *lock(&self.seen))
    }
}

/// On one connection, as long as it lasts.
async fn keep_asking(gateway: SocketAddr, first: Instant, pause: Duration, seen: Arc<Mutex<Seen>>) {
    let exchange = Exchange::new(QUERY.as_bytes(), ANSWER.as_bytes().to_vec());
    let mut connection = None;
    let mut due = first;
    loop {
        tokio::time::sleep_until(due).await;
        let outcome = once(gateway, &exchange, &mut connection).await;
        if outcome.is_err() {
            connection = None;
        }
        note(&seen, outcome, due);
        due += pause;
    }
}

async fn once(gateway: SocketAddr, exchange: &Exchange, kept: &mut Option<Connection>) -> Result<()> {
    let connection = match kept {
        Some(connection) => connection,
        None => kept.insert(Connection::open(gateway).await?),
    };
    connection.compare(exchange).await
}

/// On a new connection each time.
async fn keep_coming(gateway: SocketAddr, seen: Arc<Mutex<Seen>>) {
    let mut due = Instant::now();
    loop {
        tokio::time::sleep_until(due).await;
        let outcome = async {
            let answer = ask(gateway, QUERY).await?;
            ensure!(answer.ends_with(ANSWER), "a wrong answer: {answer}");
            Ok(())
        };
        let outcome = outcome.await;
        note(&seen, outcome, due);
        due += FRESH;
    }
}

fn note(seen: &Mutex<Seen>, outcome: Result<()>, due: Instant) {
    let mut seen = lock(seen);
    match outcome {
        Ok(()) => seen.latencies.push(due.elapsed().as_nanos() as u64),
        Err(error) => {
            seen.failed += 1;
            seen.why.get_or_insert_with(|| format!("{error:#}"));
        }
    }
}

/// A poisoned lock holds whole entries.
fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_of_a_hundred_is_its_p99() {
        let mut seen = Seen::default();
        seen.add(Seen {
            latencies: (1..=100).map(|number| number * 1_000_000).collect(),
            failed: 1,
            why: Some("first".to_owned()),
        });
        seen.add(Seen {
            failed: 1,
            why: Some("second".to_owned()),
            ..Seen::default()
        });
        assert_eq!((seen.p99(), seen.failed), (100.0, 2));
        assert_eq!(seen.why.as_deref(), Some("first"));
    }
}

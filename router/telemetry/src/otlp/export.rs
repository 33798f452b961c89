//! Collects spans and sends them together.

use std::time::Duration;

use prost::Message;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::client::{Client, Outcome};
use super::message::Request;
use crate::metrics::Counter;
use crate::trace::{Record, Settings};

/// Spans of one request.
const BATCH: usize = 512;
/// How often one request is tried.
const ATTEMPTS: u32 = 3;
/// The pause before it is tried again; it doubles.
const PAUSE: Duration = Duration::from_millis(250);

/// What the exporter is told.
#[derive(Debug)]
pub enum Task {
    /// A span has ended.
    Span(Record),
    /// Send all there is, and then say so.
    Flush(oneshot::Sender<()>),
}

struct Exporter {
    service: String,
    client: Client,
    batch: Vec<Record>,
    sent: Counter,
    lost: Counter,
    /// The collector was away the last time: told once, not with every batch.
    away: bool,
}

/// Sends what comes until nobody is left to tell more.
pub async fn export(settings: Settings, mut tasks: mpsc::Receiver<Task>, sent: Counter, lost: Counter) {
    let pause = settings.pause;
    let mut exporter = Exporter {
        service: settings.service.clone(),
        client: Client::new(settings),
        batch: Vec::new(),
        sent,
        lost,
        away: false,
    };
    let mut due = Instant::now();
    loop {
        let waiting = !exporter.batch.is_empty();
        let task = tokio::select! {
            task = tasks.recv() => task,
            () = tokio::time::sleep_until(due), if waiting => {
                exporter.send().await;
                continue;
            }
        };
        match task {
            Some(Task::Span(record)) => {
                if exporter.batch.is_empty() {
                    due = Instant::now() + pause;
                }
                exporter.batch.push(record);
                if exporter.batch.len() >= BATCH {
                    exporter.send().await;
                }
            }
            Some(Task::Flush(done)) => {
                exporter.send().await;
                // Whoever asked may have gone.
                let _ = done.send(());
            }
            None => return exporter.send().await,
        }
    }
}

impl Exporter {
    async fn send(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let spans = std::mem::take(&mut self.batch);
        let count = spans.len() as u64;
        let body = Request::of(&self.service, spans).encode_to_vec();
        match self.deliver(body.into()).await {
            Ok(()) => {
                self.sent.add(count);
                if std::mem::take(&mut self.away) {
                    tracing::info!("the trace collector takes spans again");
                }
            }
            Err(why) => {
                self.lost.add(count);
                if !std::mem::replace(&mut self.away, true) {
                    tracing::warn!(why, "the trace collector takes no spans; they are dropped");
                }
            }
        }
    }

    async fn deliver(&self, body: bytes::Bytes) -> Result<(), String> {
        let mut pause = PAUSE;
        // One that was away just now is not waited for: spans would pile up behind it.
        let attempts = if self.away { 1 } else { ATTEMPTS };
        for attempt in 1.. {
            match self.client.send(body.clone()).await {
                Outcome::Taken => return Ok(()),
                Outcome::Refused(why) => return Err(why),
                Outcome::Later(why) if attempt >= attempts => return Err(why),
                Outcome::Later(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        unreachable!("the loop ends with its last attempt")
    }
}

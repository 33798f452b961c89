//! The subgraph whose streams are watched: `feed(topic:)`. Events of usual topics go round at one rate for all; topics
//! that begin with `fat` have a rate and a padding of their own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use crate::serve;

/// What may wait for one stream; more than the gateway ever lets it.
const WAITING: usize = 4096;
/// Padding of an event of a fat topic.
const FAT: usize = 16 * 1024;

/// The subgraph.
#[derive(Clone)]
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    /// What the times in events are relative to.
    pub epoch: Instant,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    topics: Mutex<HashMap<String, broadcast::Sender<Arc<str>>>>,
    open: AtomicUsize,
    most: AtomicUsize,
}

/// A connection that is open, counted as long as it is.
struct Counted(Arc<Shared>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Upstream {
    /// Listens, and serves as long as the runtime lives.
    pub async fn start() -> Result<Upstream> {
        let listener = serve::listener(([127, 0, 0, 1], 0).into())?;
        let upstream = Upstream {
            address: listener.local_addr()?,
            epoch: Instant::now(),
            shared: Arc::default(),
        };
        let served = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().stream(stream));
            }
        });
        Ok(upstream)
    }

    /// Streams open now, and at most so far.
    pub fn streams(&self) -> (usize, usize) {
        let count = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        (count(&self.shared.open), count(&self.shared.most))
    }

    /// An event every `pause`, to each of these topics in turn, until the task is stopped.
    pub async fn emit(self, topics: Vec<String>, pause: Duration) {
        let padding = |topic: &str| {
            if topic.starts_with("fat") {
                "x".repeat(FAT)
            } else {
                String::new()
            }
        };
        let mut ticks = tokio::time::interval(pause);
        for (number, topic) in (1_u64..).zip(topics.iter().cycle()) {
            ticks.tick().await;
            let at = self.epoch.elapsed().as_micros();
            let padding = padding(topic);
            let item = format!(r#"{{"cursor":"{number}","at":"{at}","padding":"{padding}"}}"#);
            let event = format!(r#"{{"id":"1","type":"next","payload":{{"data":{{"feed":{item}}}}}}}"#);
            if let Some(topic) = self.topics().get(topic) {
                // Nobody may listen at the moment.
                let _ = topic.send(event.into());
            }
        }
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<String, broadcast::Sender<Arc<str>>>> {
        self.shared.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One connection of the gateway: one stream.
    async fn stream(self, stream: TcpStream) {
        let open = self.shared.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.shared.most.fetch_max(open, Ordering::Relaxed);
        let counted = Counted(Arc::clone(&self.shared));
        // A gateway that breaks off is no concern of this.
        let _ = self.converse(stream).await;
        drop(counted);
    }

    async fn converse(&self, stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, protocol).await?;
        let mut events: Option<broadcast::Receiver<Arc<str>>> = None;
        loop {
            let event = async {
                match &mut events {
                    Some(events) => events.recv().await,
                    None => std::future::pending().await,
                }
            };
            let reply = tokio::select! {
                event = event => event?.to_string(),
                message = socket.next() => match message {
                    Some(message) => match self.understand(message?, &mut events) {
                        Some(reply) => reply.to_owned(),
                        None => continue,
                    },
                    None => return Ok(()),
                },
            };
            socket.send(Message::text(reply)).await?;
        }
    }

    fn understand(
        &self,
        message: Message,
        events: &mut Option<broadcast::Receiver<Arc<str>>>,
    ) -> Option<&'static str> {
        let message: Value = serde_json::from_str(message.to_text().ok()?).ok()?;
        match message["type"].as_str()? {
            "connection_init" => Some(r#"{"type":"connection_ack"}"#),
            "ping" => Some(r#"{"type":"pong"}"#),
            "subscribe" => {
                let topic = message["payload"]["variables"]["t"].as_str()?;
                let mut topics = self.topics();
                let topic = topics.entry(topic.to_owned());
                *events = Some(
                    topic
                        .or_insert_with(|| broadcast::Sender::new(WAITING))
                        .subscribe(),
                );
                None
            }
            _ => None,
        }
    }
}

#[expect(clippy::result_large_err, reason = "the handshake's callback is made so")]
fn protocol(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let name = "graphql-transport-ws".parse().expect("a header value");
    response.headers_mut().insert("sec-websocket-protocol", name);
    Ok(response)
}

//! The sending side of a connection: one writer, one bounded queue, one way to end it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::close::Close;

/// How long the farewell to a client may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where everything that goes to a client goes through. A clone shares the queue.
#[derive(Clone)]
pub struct Outbox {
    queue: mpsc::Sender<Message>,
    ending: Arc<Ending>,
}

/// The first reason to close wins.
#[derive(Default)]
struct Ending {
    reason: Mutex<Option<Close>>,
    asked: CancellationToken,
}

impl Outbox {
    /// Starts the writer. It ends when [`Self::close`] is called or the client is gone.
    pub fn start(sink: SplitSink<WebSocket, Message>, capacity: usize) -> (Outbox, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(capacity.max(1));
        let ending = Arc::new(Ending::default());
        let writer = tokio::spawn(write(sink, waiting, Arc::clone(&ending)));
        (Outbox { queue, ending }, writer)
    }

    /// Queues a message if there is room; a client for which there is none is closed as too slow.
    pub fn offer(&self, message: Message) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(message) {
            self.close(Close::SlowConsumer);
        }
    }

    /// Queues a message when there is room.
    pub async fn send(&self, message: Message) {
        tokio::select! {
            () = self.ending.asked.cancelled() => {}
            // A writer that is gone needs no message.
            _ = self.queue.send(message) => {}
        }
    }

    /// Ends the connection.
    pub fn close(&self, reason: Close) {
        let mut kept = self.ending.reason.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert(reason);
        self.ending.asked.cancel();
    }

    /// Resolves when the connection is ending.
    pub async fn closed(&self) {
        self.ending.asked.cancelled().await;
    }
}

async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut waiting: mpsc::Receiver<Message>,
    ending: Arc<Ending>,
) {
    loop {
        let message = tokio::select! {
            biased;
            () = ending.asked.cancelled() => break,
            message = waiting.recv() => message,
        };
        let Some(message) = message else { break };
        tokio::select! {
            () = ending.asked.cancelled() => break,
            sent = sink.send(message) => if sent.is_err() {
                ending.asked.cancel();
                return;
            }
        }
    }
    let reason = ending
        .reason
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let frame = reason.map(|reason| reason.frame());
    let farewell = async {
        sink.send(Message::Close(frame)).await?;
        sink.close().await
    };
    // A client that does not take its farewell is cut.
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
}

//! What waits for one client: a bounded queue, filled by many, emptied by the one task that writes to the connection.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Context;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// An operation of a client: its id, and how far its stream was delivered.
#[derive(Debug)]
pub struct Op {
    /// Chosen by the client.
    pub id: Box<str>,
    delivered: Mutex<Option<Arc<str>>>,
}

/// One answer, shared by all who get it.
#[derive(Debug)]
pub struct Event {
    /// A GraphQL response.
    pub body: Utf8Bytes,
    /// Where the stream is after it, if it says so.
    pub cursor: Option<Arc<str>>,
    /// The message it is in the words of the client that was first, and that client's words for it.
    written: OnceLock<(Box<str>, Utf8Bytes)>,
}

/// Something for a client.
#[derive(Debug)]
pub enum Out {
    /// An answer, or one of many.
    Next(Arc<Op>, Arc<Event>),
    /// The end of an operation that is refused: a JSON array of errors.
    Error(Arc<Op>, Bytes),
    /// The end of an operation.
    Complete(Arc<Op>),
    /// A text of the protocol that belongs to no operation.
    Text(String),
    /// A question for a sign of life.
    Ping,
}

/// The queue of a connection.
pub struct Outbox {
    state: Mutex<State>,
    /// The task that writes.
    writer: AtomicWaker,
    /// Whoever waits for room.
    room: Notify,
    capacity: usize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Out>,
    overflowed: bool,
    closed: bool,
}

impl Event {
    /// An answer that was not written yet.
    pub fn new(body: Utf8Bytes, cursor: Option<Arc<str>>) -> Event {
        Event {
            body,
            cursor,
            written: OnceLock::new(),
        }
    }

    /// The message with this answer for a client that begins it so. Most clients of a stream call it the same, so that
    /// the message is written once for all of them.
    pub fn message(&self, begin: &str, end: &str) -> Utf8Bytes {
        let write = || Utf8Bytes::from([begin, self.body.as_str(), end].concat());
        let (words, message) = self.written.get_or_init(|| (begin.into(), write()));
        if **words == *begin {
            message.clone()
        } else {
            write()
        }
    }
}

impl Op {
    /// An operation of which nothing was delivered.
    pub fn new(id: &str) -> Arc<Op> {
        Arc::new(Op {
            id: id.into(),
            delivered: Mutex::default(),
        })
    }

    /// Notes that an event is on its way to the client.
    pub fn deliver(&self, event: &Event) {
        if let Some(cursor) = &event.cursor {
            *self.lock() = Some(Arc::clone(cursor));
        }
    }

    /// The cursor of the last event that was given to the connection.
    pub fn cursor(&self) -> Option<Arc<str>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<str>>> {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    /// An empty queue for so many.
    pub fn new(capacity: usize) -> Arc<Outbox> {
        Arc::new(Outbox {
            state: Mutex::default(),
            writer: AtomicWaker::new(),
            room: Notify::new(),
            capacity: capacity.max(1),
        })
    }

    /// Queues if there is room; a client for which there is none is too slow, and gets nothing of it any more: the
    /// memory is needed, and a stream with gaps would be worse than its end.
    pub fn offer(&self, out: Out) {
        let mut state = self.lock();
        if state.closed || state.overflowed {
            return;
        }
        if state.queue.len() < self.capacity {
            state.queue.push_back(out);
        } else {
            state.overflowed = true;
            state.queue = VecDeque::new();
            self.room.notify_waiters();
        }
        drop(state);
        self.writer.wake();
    }

    /// Queues when there is room: for answers that the client has asked for, one by one.
    pub async fn send(&self, out: Out) {
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            {
                let mut state = self.lock();
                if state.closed || state.overflowed {
                    return;
                }
                if state.queue.len() < self.capacity {
                    state.queue.push_back(out);
                    drop(state);
                    return self.writer.wake();
                }
            }
            room.await;
        }
    }

    /// Takes nothing more.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.queue = VecDeque::new();
        drop(state);
        self.room.notify_waiters();
    }

    /// Whether the client was too slow. The task that asks is woken by whatever comes next.
    pub fn has_overflowed(&self, cx: &Context<'_>) -> bool {
        self.writer.register(cx.waker());
        self.lock().overflowed
    }

    /// The next to write.
    pub fn pop(&self) -> Option<Out> {
        let mut state = self.lock();
        let out = state.queue.pop_front();
        if state.queue.is_empty() && state.queue.capacity() > 0 {
            // An idle client keeps no room.
            state.queue = VecDeque::new();
        }
        drop(state);
        if out.is_some() {
            self.room.notify_waiters();
        }
        out
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lock().queue.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(outbox: &Outbox) -> Option<String> {
        match outbox.pop() {
            Some(Out::Text(text)) => Some(text),
            _ => None,
        }
    }

    #[tokio::test]
    async fn more_than_there_is_room_for_ends_it_and_frees_all() {
        let outbox = Outbox::new(2);
        for text in ["a", "b", "c", "d"] {
            outbox.offer(Out::Text(text.to_owned()));
        }
        let overflowed = std::future::poll_fn(|cx| std::task::Poll::Ready(outbox.has_overflowed(cx)));
        assert!(overflowed.await);
        assert!(outbox.is_empty());
        outbox.send(Out::Ping).await;
        assert!(outbox.is_empty(), "nothing is taken any more");
    }

    #[tokio::test]
    async fn an_answer_waits_for_room_and_keeps_its_place() {
        let outbox = Outbox::new(1);
        outbox.send(Out::Text("a".to_owned())).await;
        let waiting = tokio::spawn({
            let outbox = Arc::clone(&outbox);
            async move { outbox.send(Out::Text("b".to_owned())).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert_eq!(text(&outbox).as_deref(), Some("a"));
        waiting.await.expect("no panic");
        assert_eq!(text(&outbox).as_deref(), Some("b"));
    }
}

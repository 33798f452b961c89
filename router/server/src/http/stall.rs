//! Answers on HTTP/2 that nobody takes: a client may keep its window shut while the connection itself is alive, and what
//! is held for it would be held for ever.
//!
//! A body goes out in small pieces, asked for when there is room in the window, so that one that is not asked for any
//! more is one that is not read. Streams of events are asked all the time: they have signs of life of their own.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Bytes that go out at once.
const PIECE: usize = 16 * 1024;

/// The bodies that go out on one connection, and when each was last asked for more.
#[derive(Debug, Default)]
pub struct Bodies {
    asked: Mutex<Asked>,
    begun: Notify,
}

#[derive(Debug, Default)]
struct Asked {
    next: u64,
    at: HashMap<u64, Instant>,
}

/// A body among them.
pub struct Piecewise {
    source: Body,
    rest: Bytes,
    bodies: Arc<Bodies>,
    number: u64,
}

impl Bodies {
    /// The same body, watched.
    pub fn watch(self: &Arc<Self>, source: Body) -> Piecewise {
        let mut asked = self.lock();
        let number = asked.next;
        asked.next += 1;
        asked.at.insert(number, Instant::now());
        drop(asked);
        self.begun.notify_one();
        Piecewise {
            source,
            rest: Bytes::new(),
            bodies: Arc::clone(self),
            number,
        }
    }

    /// Ends when one of them was not asked for more for `limit`.
    pub async fn stalled(&self, limit: Duration) {
        loop {
            let oldest = self.lock().at.values().min().copied();
            match oldest {
                Some(oldest) if oldest.elapsed() > limit => return,
                Some(_) => tokio::time::sleep(limit / 4).await,
                None => self.begun.notified().await,
            }
        }
    }

    /// A poisoned lock holds a whole map: nothing under it can stop halfway.
    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Piecewise {
    fn drop(&mut self) {
        self.bodies.lock().at.remove(&self.number);
    }
}

impl HttpBody for Piecewise {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.bodies.lock().at.insert(self.number, Instant::now());
        if self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.source).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let piece = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.source.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.rest.len() as u64;
        let source = self.source.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(left + source.lower());
        if let Some(upper) = source.upper() {
            hint.set_upper(left + upper);
        }
        hint
    }
}

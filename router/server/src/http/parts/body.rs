//! The body of an answer in parts: each is written when it is there.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use baedal_executor::Piece;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::gateway::Gateway;

/// What is before the first part.
const OPENING: &[u8] = b"\r\n---";
/// What is before each.
const HEAD: &[u8] = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n";
/// What is after each: so a client knows that it is whole.
const BETWEEN: &[u8] = b"\r\n---";
/// What is after the last.
const CLOSING: &[u8] = b"\r\n-----\r\n";

/// An answer to one client.
pub struct PartsBody {
    pieces: mpsc::UnboundedReceiver<Piece>,
    /// What is to be written before more is asked for, last first.
    next: Vec<Bytes>,
    ended: bool,
    task: AbortHandle,
    /// A stop waits for the last part.
    _tracked: TaskTrackerToken,
}

impl PartsBody {
    /// An answer of which nothing was sent. Dropped before its end, it stops the task.
    pub(super) fn new(
        gateway: &Arc<Gateway>,
        pieces: mpsc::UnboundedReceiver<Piece>,
        task: AbortHandle,
    ) -> PartsBody {
        PartsBody {
            pieces,
            next: vec![Bytes::from_static(OPENING)],
            ended: false,
            task,
            _tracked: gateway.tasks.token(),
        }
    }

    /// The next bytes; `None` at the end.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(next) = self.next.pop() {
            return Poll::Ready(Some(next));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let Some(Piece { body, last }) = ready!(self.pieces.poll_recv(cx)) else {
            // A task that was lost brings no last part: the client sees that the body is not whole.
            self.ended = true;
            return Poll::Ready(None);
        };
        self.ended = last;
        let after = if last { CLOSING } else { BETWEEN };
        self.next = vec![Bytes::from_static(after), body];
        Poll::Ready(Some(Bytes::from_static(HEAD)))
    }
}

impl Drop for PartsBody {
    fn drop(&mut self) {
        if !self.ended {
            self.task.abort();
        }
    }
}

//! The clients of one stream.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hashbrown::HashMap;
use tokio_util::sync::CancellationToken;

use super::outbox::{Event, Op, Out, Outbox};

/// Whoever gets a stream's events.
#[derive(Default)]
pub struct Channel {
    members: Mutex<Members>,
    /// Cancelled when the last client has left: the upstream is to end.
    pub deserted: CancellationToken,
}

/// A client's operation.
pub struct Member {
    /// Where its messages go.
    pub outbox: Arc<Outbox>,
    /// Whose they are.
    pub op: Arc<Op>,
}

#[derive(Default)]
struct Members {
    all: HashMap<u32, Member>,
    next: u32,
    /// Whether an event was sent: who comes later has missed it.
    moved: bool,
    closed: bool,
}

impl Channel {
    /// Adds a client; `None` if the stream has ended, or has `moved` on and the client may not miss anything.
    pub fn join(&self, member: Member, from_the_start: bool) -> Option<u32> {
        let mut members = self.lock();
        if members.closed || (from_the_start && members.moved) {
            return None;
        }
        let number = members.next;
        // Numbers would come again after four thousand million clients of one stream.
        members.next = number.wrapping_add(1);
        members.all.insert(number, member);
        Some(number)
    }

    /// Removes a client. With the last one the stream ends.
    pub fn leave(&self, number: u32) {
        let mut members = self.lock();
        let left = members.all.remove(&number);
        if left.is_some() && members.all.is_empty() {
            members.closed = true;
            self.deserted.cancel();
        }
    }

    /// Gives everyone an event.
    pub fn broadcast(&self, event: &Arc<Event>) {
        let mut members = self.lock();
        members.moved = true;
        for member in members.all.values() {
            member
                .outbox
                .offer(Out::Next(Arc::clone(&member.op), Arc::clone(event)));
        }
    }

    /// Ends everyone's operation: `None` is a plain end, else there is an array of errors.
    pub fn end(&self, errors: Option<&Bytes>) {
        let mut members = self.lock();
        members.closed = true;
        for (_, Member { outbox, op }) in members.all.drain() {
            outbox.offer(match errors {
                Some(errors) => Out::Error(op, errors.clone()),
                None => Out::Complete(op),
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

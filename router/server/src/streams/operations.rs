//! What a client has under way on one connection, by the ids it chose.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use super::hub::Seat;
use super::outbox::{Op, Out};
use crate::errors::{Code, Refusal};

/// Operations under way, by id. A clone shares them.
#[derive(Clone, Default)]
pub struct Operations(Arc<Mutex<HashMap<Box<str>, Entry>>>);

struct Entry {
    op: Arc<Op>,
    work: Work,
}

/// What ends when an operation does.
enum Work {
    /// Not begun.
    None,
    /// A task of its own.
    Task(AbortHandle),
    /// A place in a stream.
    Stream(Seat),
}

impl Drop for Entry {
    fn drop(&mut self) {
        match &self.work {
            Work::None => {}
            Work::Task(task) => task.abort(),
            Work::Stream(seat) => seat.leave(),
        }
    }
}

/// Why an id cannot be taken.
pub enum Claim {
    /// By another operation.
    InUse,
    /// By too many.
    TooMany(Refusal),
}

impl Operations {
    /// Takes an id for an operation.
    pub fn claim(&self, id: &str, limit: usize) -> Result<Arc<Op>, Claim> {
        let mut under_way = self.lock();
        if under_way.contains_key(id) {
            return Err(Claim::InUse);
        }
        if under_way.len() >= limit {
            let message =
                format!("more than {limit} operations on one connection (websocket.max_operations)");
            return Err(Claim::TooMany(Refusal::new(Code::TooManyOperations, message)));
        }
        let op = Op::new(id);
        let entry = Entry {
            op: Arc::clone(&op),
            work: Work::None,
        };
        under_way.insert(id.into(), entry);
        Ok(op)
    }

    /// The task that works on an operation; it is stopped with it. (Unless it has ended, or has gone over to a stream.)
    pub fn runs(&self, op: &Arc<Op>, task: AbortHandle) {
        match self.lock().get_mut(&op.id) {
            Some(entry) if Arc::ptr_eq(&entry.op, op) => {
                if matches!(entry.work, Work::None) {
                    entry.work = Work::Task(task);
                }
            }
            _ => task.abort(),
        }
    }

    /// The operation's place in a stream, given up with it. Said by the operation's task as its last word.
    pub fn streams(&self, op: &Arc<Op>, seat: Seat) {
        match self.lock().get_mut(&op.id) {
            Some(entry) if Arc::ptr_eq(&entry.op, op) => entry.work = Work::Stream(seat),
            _ => seat.leave(),
        }
    }

    /// Stops an operation; its id is free.
    pub fn stop(&self, id: &str) {
        let stopped = self.lock().remove(id);
        drop(stopped);
    }

    /// Whether a message still concerns the client; with an operation's last one its id is free. To be asked when the
    /// message is written, so that the client cannot know of the end before.
    pub fn concerns(&self, out: &Out) -> bool {
        let (op, last) = match out {
            Out::Next(op, event) => {
                op.deliver(event);
                (op, false)
            }
            Out::Error(op, _) | Out::Complete(op) => (op, true),
            Out::Text(_) | Out::Ping => return true,
        };
        let mut under_way = self.lock();
        let concerns = under_way
            .get(&op.id)
            .is_some_and(|entry| Arc::ptr_eq(&entry.op, op));
        let ended = (concerns && last).then(|| under_way.remove(&op.id));
        drop(under_way);
        drop(ended);
        concerns
    }

    /// Stops all. What is told: the ids and cursors of streams that have one.
    pub fn end(&self) -> Vec<(Box<str>, Arc<str>)> {
        let under_way = std::mem::take(&mut *self.lock());
        let cursor = |entry: &Entry| Some((entry.op.id.clone(), entry.op.cursor()?));
        let mut cursors: Vec<_> = under_way.values().filter_map(cursor).collect();
        cursors.sort_unstable();
        cursors
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

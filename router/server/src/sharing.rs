//! Equal requests under way share one execution (`traffic.share_equal_requests`).
//!
//! Equal are requests with the same bytes and the same forwarded header fields, the token among them: nothing is ever
//! shared by two identities. Only queries are shared. The execution is a task of its own: it goes on while anyone
//! waits for it, whoever came first, and is stopped when nobody does.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use baedal_executor::Answer;
use bytes::Bytes;
use hashbrown::HashMap;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::engine::Engine;
use crate::observe::Told;

/// The executions under way that may be joined.
#[derive(Default)]
pub struct Sharing {
    flights: Mutex<HashMap<Key, Entry>>,
}

/// What makes two requests equal.
#[derive(Clone)]
pub struct Key {
    engine: Arc<Engine>,
    body: Bytes,
    forwarded: Bytes,
}

struct Entry {
    flight: Arc<Flight>,
    waiting: usize,
}

/// One execution.
struct Flight {
    told: Told,
    /// `None` when it ended without an answer.
    outcome: OnceLock<Option<Answer>>,
    ended: Notify,
    task: OnceLock<AbortHandle>,
}

/// A place among those who wait for an execution; given up when it is dropped.
pub struct Seat<'a> {
    sharing: &'a Sharing,
    key: Key,
    flight: Arc<Flight>,
}

/// Ends a flight, also when its task is stopped or panics.
struct Pilot {
    sharing: Arc<Sharing>,
    key: Key,
    flight: Arc<Flight>,
    answer: Option<Answer>,
}

impl Flight {
    fn new(told: Told) -> Flight {
        Flight {
            told,
            outcome: OnceLock::new(),
            ended: Notify::new(),
            task: OnceLock::new(),
        }
    }
}

impl Key {
    /// The key of a request with this body, served by this snapshot. `forwarded`: what travels on and tells callers apart.
    pub fn new(engine: Arc<Engine>, body: Bytes, forwarded: &[u8]) -> Key {
        Key {
            engine,
            body,
            forwarded: Bytes::copy_from_slice(forwarded),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        Arc::ptr_eq(&self.engine, &other.engine)
            && self.body == other.body
            && self.forwarded == other.forwarded
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.body.hash(state);
        self.forwarded.hash(state);
    }
}

impl Sharing {
    /// A seat in an execution of the same request, if one is under way.
    pub fn join(&self, key: &Key) -> Option<Seat<'_>> {
        let mut flights = self.lock();
        let entry = flights.get_mut(key)?;
        entry.waiting += 1;
        Some(self.seat(key, &entry.flight))
    }

    /// A seat in an execution of the same request; if there is none, `execute` becomes one.
    pub fn join_or_begin(
        self: &Arc<Self>,
        key: &Key,
        told: Told,
        execute: impl Future<Output = Answer> + Send + 'static,
    ) -> Seat<'_> {
        let mut flights = self.lock();
        if let Some(entry) = flights.get_mut(key) {
            entry.waiting += 1;
            return self.seat(key, &entry.flight);
        }
        let flight = Arc::new(Flight::new(told));
        let pilot = Pilot {
            sharing: Arc::clone(self),
            key: key.clone(),
            flight: Arc::clone(&flight),
            answer: None,
        };
        let task = tokio::spawn(async move {
            // The whole of it, or it would end here and now.
            let mut pilot = pilot;
            pilot.answer = Some(execute.await);
        });
        let set = flight.task.set(task.abort_handle());
        debug_assert!(set.is_ok(), "it is set once");
        let entry = Entry {
            flight: Arc::clone(&flight),
            waiting: 1,
        };
        flights.insert(key.clone(), entry);
        self.seat(key, &flight)
    }

    fn seat(&self, key: &Key, flight: &Arc<Flight>) -> Seat<'_> {
        Seat {
            sharing: self,
            key: key.clone(),
            flight: Arc::clone(flight),
        }
    }

    /// Changes `flight`'s entry, if it can still be joined; `false` from `change` removes it.
    fn update(&self, key: &Key, flight: &Arc<Flight>, change: impl FnOnce(&mut Entry) -> bool) {
        let mut flights = self.lock();
        let Some(entry) = flights
            .get_mut(key)
            .filter(|entry| Arc::ptr_eq(&entry.flight, flight))
        else {
            return;
        };
        if !change(entry) {
            flights.remove(key);
        }
    }

    /// A poisoned lock holds a whole map: no change under it can stop halfway.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat<'_> {
    /// What is told of the execution.
    pub fn told(&self) -> Told {
        self.flight.told.clone()
    }

    /// The answer; `None` if the execution ended without one.
    pub async fn wait(self) -> Option<Answer> {
        loop {
            let mut ended = std::pin::pin!(self.flight.ended.notified());
            ended.as_mut().enable();
            if let Some(outcome) = self.flight.outcome.get() {
                return outcome.clone();
            }
            ended.await;
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if self.flight.outcome.get().is_some() {
            return;
        }
        self.sharing.update(&self.key, &self.flight, |entry| {
            entry.waiting -= 1;
            if entry.waiting == 0 {
                entry.flight.task.get().inspect(|task| task.abort());
            }
            entry.waiting > 0
        });
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        // Whoever comes from now on begins anew.
        self.sharing.update(&self.key, &self.flight, |_| false);
        let ended = self.flight.outcome.set(self.answer.take());
        debug_assert!(ended.is_ok(), "a flight ends once");
        self.flight.ended.notify_waiters();
    }
}

//! Work under way that several wait for is done once: executions of equal requests (`traffic.share_equal_requests`), and
//! equal calls of subgraphs (`traffic.share_equal_calls`, see [`crate::subgraphs`]).
//!
//! Equal are requests with the same bytes and the same forwarded header fields, the token among them: nothing is ever
//! shared by two identities. Only queries are shared. The work is a task of its own: it goes on while anyone waits for
//! it, whoever came first, and is stopped when nobody does.

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
pub type Sharing = Flights<Key, Told, Answer>;

/// What is under way, by what makes it equal; something is told of it at once (`T`), and it ends with an outcome (`V`),
/// of which each waiter gets a clone.
pub struct Flights<K, T, V> {
    flights: Mutex<HashMap<K, Entry<T, V>>>,
}

/// What makes two requests equal.
#[derive(Clone)]
pub struct Key {
    engine: Arc<Engine>,
    body: Bytes,
    forwarded: Bytes,
}

struct Entry<T, V> {
    flight: Arc<Flight<T, V>>,
    waiting: usize,
}

/// Work under way.
struct Flight<T, V> {
    told: T,
    /// `None` when it ended without an outcome.
    outcome: OnceLock<Option<V>>,
    ended: Notify,
    task: OnceLock<AbortHandle>,
}

/// A place among those who wait; given up when it is dropped.
pub struct Seat<'a, K: Part, T: Shared, V: Shared> {
    flights: &'a Flights<K, T, V>,
    key: K,
    flight: Arc<Flight<T, V>>,
}

/// Ends a flight, also when its task is stopped or panics.
struct Pilot<K: Part, T: Shared, V: Shared> {
    flights: Arc<Flights<K, T, V>>,
    key: K,
    flight: Arc<Flight<T, V>>,
    outcome: Option<V>,
}

/// What may be a key.
pub trait Part: Clone + Eq + Hash + Send + Sync + 'static {}
impl<K: Clone + Eq + Hash + Send + Sync + 'static> Part for K {}

/// What each waiter gets.
pub trait Shared: Clone + Send + Sync + 'static {}
impl<V: Clone + Send + Sync + 'static> Shared for V {}

impl<K, T, V> Default for Flights<K, T, V> {
    fn default() -> Self {
        Flights {
            flights: Mutex::default(),
        }
    }
}

impl<T, V> Flight<T, V> {
    fn new(told: T) -> Flight<T, V> {
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

impl<K: Part, T: Shared, V: Shared> Flights<K, T, V> {
    /// A seat in what is equal, if that is under way.
    pub fn join(&self, key: &K) -> Option<Seat<'_, K, T, V>> {
        let mut flights = self.lock();
        let entry = flights.get_mut(key)?;
        entry.waiting += 1;
        Some(self.seat(key, &entry.flight))
    }

    /// A seat in what is equal; if nothing is, `work` becomes it.
    pub fn join_or_begin(
        self: &Arc<Self>,
        key: &K,
        told: T,
        work: impl Future<Output = V> + Send + 'static,
    ) -> Seat<'_, K, T, V> {
        let mut flights = self.lock();
        if let Some(entry) = flights.get_mut(key) {
            entry.waiting += 1;
            return self.seat(key, &entry.flight);
        }
        let flight = Arc::new(Flight::new(told));
        let pilot = Pilot {
            flights: Arc::clone(self),
            key: key.clone(),
            flight: Arc::clone(&flight),
            outcome: None,
        };
        let task = tokio::spawn(async move {
            // The whole of it, or it would end here and now.
            let mut pilot = pilot;
            pilot.outcome = Some(work.await);
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

    fn seat(&self, key: &K, flight: &Arc<Flight<T, V>>) -> Seat<'_, K, T, V> {
        Seat {
            flights: self,
            key: key.clone(),
            flight: Arc::clone(flight),
        }
    }

    /// Changes `flight`'s entry, if it can still be joined; `false` from `change` removes it.
    fn update(&self, key: &K, flight: &Arc<Flight<T, V>>, change: impl FnOnce(&mut Entry<T, V>) -> bool) {
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
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Entry<T, V>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Part, T: Shared, V: Shared> Seat<'_, K, T, V> {
    /// What is told of the work.
    pub fn told(&self) -> T {
        self.flight.told.clone()
    }

    /// The outcome; `None` if the work ended without one.
    pub async fn wait(self) -> Option<V> {
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

impl<K: Part, T: Shared, V: Shared> Drop for Seat<'_, K, T, V> {
    fn drop(&mut self) {
        if self.flight.outcome.get().is_some() {
            return;
        }
        self.flights.update(&self.key, &self.flight, |entry| {
            entry.waiting -= 1;
            if entry.waiting == 0 {
                entry.flight.task.get().inspect(|task| task.abort());
            }
            entry.waiting > 0
        });
    }
}

impl<K: Part, T: Shared, V: Shared> Drop for Pilot<K, T, V> {
    fn drop(&mut self) {
        // Whoever comes from now on begins anew.
        self.flights.update(&self.key, &self.flight, |_| false);
        let ended = self.flight.outcome.set(self.outcome.take());
        debug_assert!(ended.is_ok(), "a flight ends once");
        self.flight.ended.notify_waiters();
    }
}

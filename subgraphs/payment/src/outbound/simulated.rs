//! A payment provider in this process, with the manners of a real one: it takes time, serves only so many at once,
//! declines what is too much, goes on with a charge its caller has given up, and keeps to its idempotency keys.
//!
//! Deterministic: what happens to an order depends on the order and the amount only. It forgets when the process ends,
//! so an order it does not know may have been charged by an earlier run; a refund of such an order is therefore granted.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{Semaphore, oneshot};

use crate::{
    domain::{OrderId, Won},
    ports::{Charge, Provider, ProviderError, Standing},
};

/// How many orders it remembers.
const MEMORY: usize = 100_000;

/// How it behaves.
#[derive(Debug, Clone)]
pub struct Manners {
    /// Least time a charge takes.
    pub delay: Duration,
    /// Up to this much longer, depending on the order.
    pub jitter: Duration,
    /// Charges worked on at once; more wait.
    pub capacity: usize,
    /// The largest amount it charges.
    pub limit: Won,
}

/// The provider.
#[derive(Clone)]
pub struct SimulatedProvider {
    manners: Manners,
    room: Arc<Semaphore>,
    book: Arc<Mutex<Book>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// Its caller left before its turn came; it may be asked for again.
    Unbegun,
    InFlight,
    Decided(Charge),
    Cancelled,
    Refunded,
}

#[derive(Default)]
struct Book {
    entries: HashMap<OrderId, Entry>,
    ages: VecDeque<OrderId>,
}

impl Book {
    fn put(&mut self, order: &OrderId, entry: Entry) {
        if self.entries.insert(order.clone(), entry).is_none() {
            self.ages.push_back(order.clone());
        }
        if self.ages.len() > MEMORY
            && let Some(oldest) = self.ages.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    /// Forgets a charge that was never begun; a cancel that came meanwhile stays.
    fn forget_unbegun(&mut self, order: &OrderId) {
        if self.entries.get(order) == Some(&Entry::InFlight) {
            self.put(order, Entry::Unbegun);
        }
    }
}

impl SimulatedProvider {
    /// A provider with these manners.
    pub fn new(manners: Manners) -> SimulatedProvider {
        let room = Arc::new(Semaphore::new(manners.capacity.clamp(1, Semaphore::MAX_PERMITS)));
        SimulatedProvider {
            manners,
            room,
            book: Arc::default(),
        }
    }

    /// What it holds of an order: charged, and not cancelled or refunded since.
    pub fn holds_money(&self, order: &OrderId) -> bool {
        matches!(
            self.book().entries.get(order),
            Some(Entry::Decided(Charge::Approved { .. }))
        )
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("no holder of the book panics")
    }

    fn delay(&self, order: &OrderId) -> Duration {
        let mut hasher = DefaultHasher::new();
        order.hash(&mut hasher);
        let jitter = u64::try_from(self.manners.jitter.as_micros()).unwrap_or(u64::MAX);
        self.manners.delay + Duration::from_micros(if jitter == 0 { 0 } else { hasher.finish() % jitter })
    }

    /// Works on a charge to its end, whoever still listens; but one whose caller left the queue is not begun.
    async fn work(self, order: OrderId, amount: Won, answer: oneshot::Sender<Charge>) {
        let begun = self.room.acquire().await;
        if answer.is_closed() {
            self.book().forget_unbegun(&order);
            return;
        }
        tokio::time::sleep(self.delay(&order)).await;
        drop(begun);
        let charge = self.decide(&order, amount);
        let mut book = self.book();
        let charge = match book.entries.get(&order) {
            Some(Entry::Cancelled) => Charge::Declined {
                reason: "CANCELLED".to_owned(),
            },
            _ => {
                book.put(&order, Entry::Decided(charge.clone()));
                charge
            }
        };
        drop(book);
        // A caller that has gone asks later by `look_up`.
        let _ = answer.send(charge);
    }

    fn decide(&self, order: &OrderId, amount: Won) -> Charge {
        if amount > self.manners.limit {
            return Charge::Declined {
                reason: "LIMIT_EXCEEDED".to_owned(),
            };
        }
        Charge::Approved {
            reference: format!("sim-{}", order.as_str()),
        }
    }
}

#[async_trait]
impl Provider for SimulatedProvider {
    async fn charge(&self, order: &OrderId, amount: Won) -> Result<Charge, ProviderError> {
        let known = {
            let mut book = self.book();
            let known = book.entries.get(order).cloned();
            if matches!(known, None | Some(Entry::Unbegun)) {
                book.put(order, Entry::InFlight);
            }
            known
        };
        match known {
            Some(Entry::Decided(charge)) => return Ok(charge),
            Some(Entry::InFlight) => {
                return Err(ProviderError("the charge is already being worked on".to_owned()));
            }
            Some(Entry::Cancelled | Entry::Refunded) => {
                return Ok(Charge::Declined {
                    reason: "CANCELLED".to_owned(),
                });
            }
            None | Some(Entry::Unbegun) => {}
        }
        let (answer, answered) = oneshot::channel();
        tokio::spawn(self.clone().work(order.clone(), amount, answer));
        answered
            .await
            .map_err(|_| ProviderError("the charge was dropped".to_owned()))
    }

    async fn look_up(&self, order: &OrderId) -> Result<Standing, ProviderError> {
        Ok(match self.book().entries.get(order) {
            Some(Entry::InFlight) => Standing::InFlight,
            Some(Entry::Decided(charge)) => Standing::Decided(charge.clone()),
            Some(Entry::Unbegun | Entry::Cancelled | Entry::Refunded) | None => Standing::Nothing,
        })
    }

    async fn cancel(&self, order: &OrderId) -> Result<(), ProviderError> {
        let mut book = self.book();
        if book.entries.get(order) != Some(&Entry::Refunded) {
            book.put(order, Entry::Cancelled);
        }
        Ok(())
    }

    async fn refund(&self, order: &OrderId, _reference: &str, _amount: Won) -> Result<(), ProviderError> {
        let mut book = self.book();
        match book.entries.get(order) {
            Some(Entry::InFlight) => Err(ProviderError("the charge is still being worked on".to_owned())),
            _ => {
                book.put(order, Entry::Refunded);
                Ok(())
            }
        }
    }
}

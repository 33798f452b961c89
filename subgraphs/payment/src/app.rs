//! What payment does, one method per command: load → decide → commit. Knows no transport, database or clock of its own.

mod approve;
mod settle;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use baedal_kit::clock::{Clock, Ids};
use uuid::Uuid;

use crate::{
    domain::{CustomerId, Event, InvalidTransition, Millis, OrderId, Payment, Recorded, Status, Step, Won},
    ports::{Changes, Patience, Payments, Provider, StoreError},
};

pub use approve::Approve;

/// How often a decision is taken again because another writer was first.
const ATTEMPTS: usize = 8;

/// The payment application.
#[derive(Clone)]
pub struct App {
    payments: Arc<dyn Payments>,
    provider: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    patience: Patience,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The state machine has no such step.
    #[error(transparent)]
    InvalidTransition(#[from] InvalidTransition),
    /// The order is being paid by someone else, or with another amount.
    #[error("order {0} was already asked to be paid with other terms")]
    OtherTerms(String),
    /// No payment of that order was ever asked for.
    #[error("order {0} has no payment")]
    NotFound(String),
    /// The records did not answer, or stayed contended.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One command that came as an event: digested once, together with its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The event's id, for the inbox and as cause.
    pub event: Uuid,
    /// What it asks of us.
    pub command: Option<Command>,
}

/// What another context's event asks of payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Give the attempt up.
    Void {
        /// Whose attempt.
        order: OrderId,
        /// For the tombstone, when there was no attempt yet.
        customer: Option<CustomerId>,
        /// Why.
        reason: String,
    },
    /// Give the money back.
    Refund {
        /// For which order.
        order: OrderId,
        /// Why.
        reason: String,
    },
}

impl Command {
    fn order(&self) -> &OrderId {
        match self {
            Command::Void { order, .. } | Command::Refund { order, .. } => order,
        }
    }
}

impl App {
    /// An application over these ports.
    pub fn new(
        payments: Arc<dyn Payments>,
        provider: Arc<dyn Provider>,
        time: (Arc<dyn Clock>, Arc<dyn Ids>),
        patience: Patience,
    ) -> App {
        let (clock, ids) = time;
        App {
            payments,
            provider,
            clock,
            ids,
            patience,
        }
    }

    /// The records, for reading.
    pub fn payments(&self) -> &Arc<dyn Payments> {
        &self.payments
    }

    /// Gives an attempt up, seen or not; repeating it changes nothing.
    pub async fn void(&self, order: &OrderId, reason: String) -> Result<Payment, AppError> {
        self.command(Command::Void {
            order: order.clone(),
            customer: None,
            reason,
        })
        .await
    }

    /// Gives the whole amount back, once; repeating it changes nothing.
    pub async fn refund(&self, order: &OrderId, reason: String) -> Result<Payment, AppError> {
        self.command(Command::Refund {
            order: order.clone(),
            reason,
        })
        .await
    }

    /// The payment of an order.
    pub async fn get(&self, order: &OrderId) -> Result<Payment, AppError> {
        self.payments
            .find(order)
            .await?
            .ok_or_else(|| AppError::NotFound(order.as_str().to_owned()))
    }

    async fn command(&self, command: Command) -> Result<Payment, AppError> {
        for _ in 0..ATTEMPTS {
            let found = self.payments.find(command.order()).await?;
            let before = found.clone();
            let (payment, events) = self.decide(found, &command)?;
            if before.as_ref() == Some(&payment) {
                return Ok(payment);
            }
            match self
                .payments
                .commit(self.changes(payment.clone(), events, None))
                .await
            {
                Ok(()) => return Ok(payment),
                Err(StoreError::Conflict) => continue,
                Err(failed) => return Err(failed.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Digests a batch of events in one transaction; those digested before have no effect. Returns how many were new.
    pub async fn digest(&self, batch: &[Incoming]) -> Result<usize, StoreError> {
        let mut seen = HashSet::new();
        for _ in 0..ATTEMPTS {
            match self.digest_once(batch, seen.clone()).await {
                Err(StoreError::Seen(before)) => seen.extend(before),
                Err(StoreError::Conflict) => continue,
                other => return other,
            }
        }
        Err(StoreError::Conflict)
    }

    async fn digest_once(&self, batch: &[Incoming], mut seen: HashSet<Uuid>) -> Result<usize, StoreError> {
        let fresh: Vec<&Incoming> = batch
            .iter()
            .filter(|incoming| seen.insert(incoming.event))
            .collect();
        if fresh.is_empty() {
            return Ok(0);
        }
        let orders: Vec<OrderId> = fresh
            .iter()
            .filter_map(|incoming| incoming.command.as_ref())
            .map(|c| c.order().clone())
            .collect();
        let mut held = Held::new(self.payments.find_many(&orders).await?);
        let mut changes = Changes {
            seen: fresh.iter().map(|incoming| incoming.event).collect(),
            ..Changes::default()
        };
        for incoming in &fresh {
            let Some(command) = &incoming.command else {
                continue;
            };
            self.digest_command(&mut held, &mut changes, command, incoming.event);
        }
        changes.payments = held.changed();
        self.payments.commit(changes).await?;
        Ok(fresh.len())
    }

    fn digest_command(&self, held: &mut Held, changes: &mut Changes, command: &Command, cause: Uuid) {
        match self.decide(held.get(command.order()), command) {
            Ok((payment, events)) => {
                changes.events.extend(self.record(&payment, events, Some(cause)));
                held.put(payment);
            }
            // The order asks for what payment has already settled otherwise: nothing is left to do.
            Err(refused) => {
                tracing::info!(order = command.order().as_str(), %refused, "command without effect")
            }
        }
    }

    /// What a command makes of the payment found; a repetition gives back what was found.
    fn decide(&self, found: Option<Payment>, command: &Command) -> Result<Step, AppError> {
        let now = self.clock.now_ms();
        match (command, found) {
            (
                Command::Void {
                    order,
                    customer,
                    reason,
                },
                None,
            ) => Ok(Payment::tombstone(
                order.clone(),
                customer.clone(),
                reason.clone(),
                now,
            )),
            (Command::Void { reason, .. }, Some(payment)) => match payment.state.status() {
                Status::VoidPending | Status::Voided => Ok((payment, vec![])),
                _ => Ok(payment.void(reason.clone(), now)?),
            },
            (Command::Refund { order, .. }, None) => Err(AppError::NotFound(order.as_str().to_owned())),
            (Command::Refund { reason, .. }, Some(payment)) => match payment.state.status() {
                Status::RefundPending | Status::Refunded => Ok((payment, vec![])),
                _ => Ok(payment.refund(reason.clone(), now)?),
            },
        }
    }

    fn changes(&self, payment: Payment, events: Vec<Event>, cause: Option<Uuid>) -> Changes {
        let events = self.record(&payment, events, cause);
        Changes {
            payments: vec![payment],
            events,
            seen: vec![],
        }
    }

    fn record(&self, payment: &Payment, events: Vec<Event>, cause: Option<Uuid>) -> Vec<Recorded> {
        let at = self.clock.now_ms();
        let sequence = payment.version + 1;
        let customer = payment.customer.clone();
        let record = |event| Recorded {
            id: self.ids.next(),
            order: payment.order.clone(),
            customer: customer.clone(),
            sequence,
            at,
            cause,
            event,
        };
        events.into_iter().map(record).collect()
    }
}

/// The payments of a batch while it is being decided.
struct Held {
    payments: HashMap<OrderId, (Payment, bool)>,
}

impl Held {
    fn new(loaded: Vec<Payment>) -> Held {
        Held {
            payments: loaded
                .into_iter()
                .map(|payment| (payment.order.clone(), (payment, false)))
                .collect(),
        }
    }

    fn get(&self, order: &OrderId) -> Option<Payment> {
        self.payments.get(order).map(|(payment, _)| payment.clone())
    }

    fn put(&mut self, payment: Payment) {
        let before = self.payments.get(&payment.order);
        let changed = before.is_none_or(|(old, changed)| *changed || *old != payment);
        self.payments.insert(payment.order.clone(), (payment, changed));
    }

    /// In the order of the ids, so that two replicas lock rows in the same order.
    fn changed(self) -> Vec<Payment> {
        let payments = self.payments.into_values();
        let mut changed: Vec<Payment> = payments
            .filter_map(|(payment, changed)| changed.then_some(payment))
            .collect();
        changed.sort_unstable_by(|one, other| one.order.as_str().cmp(other.order.as_str()));
        changed
    }
}

/// Whether an amount can be charged at all is the provider's to say; this only parses.
pub fn terms(order: &str, customer: &str, amount: i64) -> Result<Approve, crate::domain::InvalidValue> {
    Ok(Approve {
        order: OrderId::parse(order)?,
        customer: CustomerId::parse(customer)?,
        amount: Won::parse(amount)?,
    })
}

/// Clocks of replicas differ by less than this; a time further ahead was told by a clock that has been set since.
const AHEAD: Millis = 60_000;

/// How long something has lasted. What began far in the future has lasted long enough for everything.
pub(crate) fn waited(since: Millis, now: Millis) -> Duration {
    if since > now.saturating_add(AHEAD) {
        return Duration::MAX;
    }
    Duration::from_millis(u64::try_from(now - since).unwrap_or(0))
}

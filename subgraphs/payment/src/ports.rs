//! What payment needs from outside: its own records, and a provider that moves money.

use std::{collections::HashSet, time::Duration};

use async_trait::async_trait;
use uuid::Uuid;

use crate::domain::{CustomerId, Millis, OrderId, Payment, Recorded, Won};

/// The payments on record, with the outbox and the inbox that share their transactions.
#[async_trait]
pub trait Payments: Send + Sync {
    /// The payment of an order.
    async fn find(&self, order: &OrderId) -> Result<Option<Payment>, StoreError>;

    /// The payments of several orders, those that exist, in any order.
    async fn find_many(&self, orders: &[OrderId]) -> Result<Vec<Payment>, StoreError>;

    /// A customer's payments, newest first, those strictly after `after`.
    async fn of_customer(
        &self,
        customer: &CustomerId,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Payment>, StoreError>;

    /// Payments with something still to ask of the provider, in their state since `entered_before` or longer, oldest first.
    async fn open(&self, entered_before: Millis, limit: usize) -> Result<Vec<Payment>, StoreError>;

    /// Writes all of it in one transaction, or nothing: `Conflict` when a payment was saved by another since it was
    /// loaded, `Seen` when some of the events were digested before.
    async fn commit(&self, changes: Changes) -> Result<(), StoreError>;
}

/// A place in a customer's list of payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// When the payment was requested.
    pub at: Millis,
    /// Tells apart payments of the same instant.
    pub order: String,
}

/// One transaction's worth of work.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// As loaded and then moved on; `version` is still the loaded one (0 = new).
    pub payments: Vec<Payment>,
    /// For the outbox.
    pub events: Vec<Recorded>,
    /// For the inbox.
    pub seen: Vec<Uuid>,
}

/// Why the records did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first: load again and decide again.
    #[error("another writer was first")]
    Conflict,
    /// These events have had their effect already: decide again without them.
    #[error("{} events were digested before", .0.len())]
    Seen(HashSet<Uuid>),
    /// The database failed.
    #[error("the payment store failed: {message}")]
    Failed {
        /// In the database's words.
        message: String,
        /// Trying again may help.
        transient: bool,
    },
}

/// The external party that moves money. All calls are keyed by the order: repeating one changes nothing.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Charges once per order.
    async fn charge(&self, order: &OrderId, amount: Won) -> Result<Charge, ProviderError>;

    /// What became of a charge.
    async fn look_up(&self, order: &OrderId) -> Result<Standing, ProviderError>;

    /// After `Ok` no charge of the order stands, nor will one ever.
    async fn cancel(&self, order: &OrderId) -> Result<(), ProviderError>;

    /// After `Ok` the whole charge has gone back, once.
    async fn refund(&self, order: &OrderId, reference: &str, amount: Won) -> Result<(), ProviderError>;
}

/// A provider's answer to a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Charge {
    /// The money is held under this reference.
    Approved { reference: String },
    /// It will not be charged.
    Declined { reason: String },
}

/// What a provider knows of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Answered.
    Decided(Charge),
    /// Still being worked on.
    InFlight,
    /// Never heard of it, or cancelled.
    Nothing,
}

/// The provider gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the payment provider did not answer: {0}")]
pub struct ProviderError(pub String);

/// How long the application waits for whom.
#[derive(Debug, Clone)]
pub struct Patience {
    /// For the provider, when the caller set no deadline.
    pub charge: Duration,
    /// Before the sweep reconciles an open payment.
    pub reconcile_after: Duration,
}

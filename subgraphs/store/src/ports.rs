//! What the application needs of the outside: collections it loads aggregates from and saves decisions to.
//!
//! A save is all or nothing: states, events (for the outbox) and the ids of the handled events (the inbox) go into one
//! transaction. It is refused when a state has changed since it was loaded, or when an event was handled before;
//! nothing is written then, and the application decides anew.

use crate::domain::{Status, Store, StoreEvent, StoreOrder, TicketEvent};
use async_trait::async_trait;
use std::collections::HashSet;
use uuid::Uuid;

/// A stored aggregate with its version; the version is 0 while it is not stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<T> {
    /// The state.
    pub state: T,
    /// Grows with every save; also the number of the last event.
    pub version: u64,
}

/// Why something happened, carried along in the event's envelope.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cause {
    /// Id of the event that caused it; none for a command of a person or of the clock.
    pub causation_id: Option<String>,
    /// Trace it belongs to, W3C.
    pub traceparent: Option<String>,
}

/// A new state of a store, with the events that led to it.
#[derive(Clone, Debug)]
pub struct StoreChange {
    /// Version it was decided on.
    pub before: u64,
    /// The new state.
    pub store: Store,
    /// What happened.
    pub events: Vec<StoreEvent>,
}

/// A new state of a ticket, with the events that led to it.
#[derive(Clone, Debug)]
pub struct TicketChange {
    /// Which order.
    pub order_id: String,
    /// Version it was decided on.
    pub before: u64,
    /// The new state.
    pub order: StoreOrder,
    /// What happened, each with its cause, in order.
    pub events: Vec<(TicketEvent, Cause)>,
    /// The trace the order was placed in, W3C: events that nobody else's event caused belong to it.
    pub trace: Option<String>,
}

/// Decisions on many tickets, saved as one.
#[derive(Clone, Debug, Default)]
pub struct TicketBatch {
    /// At most one per order.
    pub changes: Vec<TicketChange>,
    /// Events of other services this batch answers, each once.
    pub handled: Vec<Uuid>,
    /// Now, in ms since 1970.
    pub now: i64,
}

/// A ticket as it is filed.
#[derive(Clone, Debug, PartialEq)]
pub struct Filed {
    /// Which order.
    pub order_id: String,
    /// Its state.
    pub order: StoreOrder,
    /// Its version.
    pub version: u64,
    /// When it last moved, in ms since 1970.
    pub moved_at: i64,
    /// The trace the order was placed in, W3C.
    pub trace: Option<String>,
}

/// One dish's sales.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DishSales {
    /// Which item.
    pub menu_item_id: String,
    /// Its name when it was last sold.
    pub name: String,
    /// How many were delivered.
    pub quantity: i64,
    /// At menu prices, in KRW.
    pub revenue: i64,
}

/// A store's sales: only what was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sales {
    /// How many orders.
    pub orders: i64,
    /// What customers paid, in KRW.
    pub revenue: i64,
    /// Per dish, best seller first, at most 200.
    pub dishes: Vec<DishSales>,
}

/// Why the outside did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer, or not as expected.
    #[error("the store database failed: {0}")]
    Unavailable(#[source] anyhow::Error),
}

/// Why a save wrote nothing.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Something changed since it was loaded: load and decide anew.
    #[error("changed by somebody else meanwhile")]
    Conflict,
    /// Some of the events were handled before; these were not.
    #[error("some events were handled before")]
    Seen {
        /// The handled ids that are new.
        fresh: HashSet<Uuid>,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The stores and their menus.
#[async_trait]
pub trait Stores: Send + Sync {
    /// Those of the ids that exist, in any order.
    async fn find(&self, ids: &[String]) -> Result<Vec<Versioned<Store>>, StoreError>;
    /// Stores by id, after the given one, at most `limit`.
    async fn page(&self, after: Option<&str>, limit: usize) -> Result<Vec<Store>, StoreError>;
    /// Saves a decision.
    async fn save(&self, change: StoreChange) -> Result<(), SaveError>;
}

/// The tickets.
#[async_trait]
pub trait Tickets: Send + Sync {
    /// Those of the orders that are known, in any order; parked ones too.
    async fn find(&self, order_ids: &[String]) -> Result<Vec<Filed>, StoreError>;
    /// Tickets that `auto` mode can move, longest unmoved first, at most `limit`.
    async fn advancing(&self, limit: usize) -> Result<Vec<Filed>, StoreError>;
    /// Saves decisions.
    async fn save(&self, batch: TicketBatch) -> Result<(), SaveError>;
    /// Makes `owner` the one that drives `auto` mode until `until`, unless another one is that at `now`.
    async fn lead(&self, owner: &str, now: i64, until: i64) -> Result<bool, StoreError>;
}

/// Which tickets of a store to show.
#[derive(Clone, Debug)]
pub struct BoardQuery {
    /// Whose board.
    pub store_id: String,
    /// Only these; all but parked ones when none is given.
    pub status: Option<Status>,
    /// Continue after this (received at, order id).
    pub after: Option<(i64, String)>,
    /// At most this many.
    pub limit: usize,
}

/// The views of a store owner, kept up to date by the saves.
#[async_trait]
pub trait Board: Send + Sync {
    /// Tickets of a store, oldest first; an order that was cancelled before it was received is not on the board.
    async fn tickets(&self, query: BoardQuery) -> Result<Vec<Filed>, StoreError>;
    /// What the store sold.
    async fn sales(&self, store_id: &str) -> Result<Sales, StoreError>;
}

//! What order needs from outside: its own records, what it knows of menus and coupons, and someone to charge the customer.

use std::{collections::HashSet, time::Duration};

use async_trait::async_trait;
use uuid::Uuid;

use crate::domain::{
    Coupon, CouponId, CustomerId, IdempotencyKey, Menu, Millis, Order, OrderId, Recorded, Status, StoreId,
    Won,
};

/// The orders on record, with the outbox and the inbox that share their transactions.
#[async_trait]
pub trait Orders: Send + Sync {
    /// The order of that id.
    async fn find(&self, order: &OrderId) -> Result<Option<Order>, StoreError>;

    /// The orders of these ids, those that exist, in any sequence.
    async fn find_many(&self, orders: &[OrderId]) -> Result<Vec<Order>, StoreError>;

    /// The order a customer's attempt made.
    async fn by_key(&self, customer: &CustomerId, key: &IdempotencyKey) -> Result<Option<Order>, StoreError>;

    /// A customer's orders, newest first, those strictly after `after`.
    async fn of_customer(
        &self,
        customer: &CustomerId,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Order>, StoreError>;

    /// Orders that have been in one of these statuses since before `since`, longest first, those strictly after `after`.
    async fn waiting(&self, wait: Wait<'_>, limit: usize) -> Result<Vec<Order>, StoreError>;

    /// Writes all of it in one transaction, or nothing.
    async fn commit(&self, changes: Changes) -> Result<(), StoreError>;
}

/// What stores have said of their menus.
#[async_trait]
pub trait Menus: Send + Sync {
    /// A store's menu.
    async fn menu(&self, store: &StoreId) -> Result<Option<Menu>, StoreError>;
}

/// What marketing has said of its coupons.
#[async_trait]
pub trait Coupons: Send + Sync {
    /// A coupon, if it was heard of and no order holds it.
    async fn free_coupon(&self, coupon: &CouponId) -> Result<Option<Coupon>, StoreError>;
}

/// Which orders have been waiting for what.
#[derive(Debug, Clone, Copy)]
pub struct Wait<'a> {
    /// In one of these.
    pub statuses: &'a [Status],
    /// Entered before this.
    pub since: Millis,
    /// To go on with a list.
    pub after: Option<&'a Position>,
}

/// A place in a list of orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The time the list is sorted by.
    pub at: Millis,
    /// Tells apart orders of the same instant.
    pub order: String,
}

/// One transaction's worth of work. Versions are still those that were loaded (0 = new).
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Orders, moved on.
    pub orders: Vec<Order>,
    /// For the outbox.
    pub events: Vec<Recorded>,
    /// For the inbox.
    pub seen: Vec<Uuid>,
    /// Menus, brought up to date.
    pub menus: Vec<Menu>,
    /// Coupons heard of.
    pub coupons: Vec<Coupon>,
}

/// Why the records did not answer, or did not take a change.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first (a version, or a customer's key): load again and decide again.
    #[error("another writer was first")]
    Conflict,
    /// Another order holds the coupon.
    #[error("another order holds the coupon")]
    CouponTaken,
    /// These events have had their effect already: decide again without them.
    #[error("{} events were digested before", .0.len())]
    Seen(HashSet<Uuid>),
    /// The database failed.
    #[error("the order store failed: {message}")]
    Failed {
        /// In the database's words.
        message: String,
        /// Trying again may help.
        transient: bool,
    },
}

/// Whoever charges customers.
#[async_trait]
pub trait Payments: Send + Sync {
    /// Charges an order once, and answers within its own deadline.
    async fn approve(&self, charge: &Charge) -> Approval;
}

/// What is to be charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// For which order; repeating it charges nothing.
    pub order: OrderId,
    /// Whom.
    pub customer: CustomerId,
    /// How much.
    pub amount: Won,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// Charged.
    Approved,
    /// Not charged.
    Declined {
        /// In a word the customer may see.
        reason: String,
    },
    /// Nobody knows.
    Unavailable {
        /// For the log and the order.
        reason: String,
        /// When it may be worth trying again.
        retry_after: Option<Duration>,
    },
}

//! What the application needs of the outside: the books it loads aggregates from and saves decisions to, and the views.
//!
//! A save is all or nothing: states, ledger, feed, events (for the outbox) and the ids of the handled events (the inbox)
//! go into one transaction. It is refused when a state has changed since it was loaded, or when an event was handled
//! before; nothing is written then, and the application decides anew.

use crate::domain::{Benefit, Coupon, CouponEvent, Entry, FeedItem, Member, PointsEvent};
use async_trait::async_trait;
use std::collections::HashSet;
use uuid::Uuid;

/// An aggregate with the version it was loaded at, and how often it has been changed since.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracked<T> {
    /// The state.
    pub state: T,
    /// Version in the books; 0 while it is not there.
    pub before: u64,
    /// Changes since; nothing is saved while there are none.
    pub moves: u64,
}

impl<T> Tracked<T> {
    /// As loaded.
    pub fn loaded(state: T, version: u64) -> Tracked<T> {
        Tracked {
            state,
            before: version,
            moves: 0,
        }
    }

    /// The version it will have when saved.
    pub fn after(&self) -> u64 {
        self.before + self.moves
    }
}

/// Why something happened, carried along in the event's envelope.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cause {
    /// Id of the event that caused it; none where the clock did.
    pub causation_id: Option<String>,
    /// Trace it belongs to, W3C.
    pub traceparent: Option<String>,
}

/// Something to tell the other services.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// About a coupon: as it was then, and the number of the event in its life.
    Coupon(Coupon, CouponEvent, u64),
    /// About an account.
    Points {
        /// Whose.
        customer_id: String,
        /// What.
        event: PointsEvent,
    },
}

/// Decisions on many orders, saved as one. Rows are in the order of their keys, so that two replicas lock alike.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    /// Changed orders.
    pub benefits: Vec<(String, Tracked<Benefit>)>,
    /// Changed coupons.
    pub coupons: Vec<Tracked<Coupon>>,
    /// Changed members.
    pub members: Vec<Tracked<Member>>,
    /// New ledger entries, by customer.
    pub entries: Vec<(String, Entry)>,
    /// New feed items.
    pub feed: Vec<FeedItem>,
    /// What to tell, in order.
    pub news: Vec<(News, Cause)>,
    /// Events of other services this answers, each once.
    pub handled: Vec<Uuid>,
    /// Now, in ms since 1970.
    pub now: i64,
}

/// The database did not answer, or not as expected.
#[derive(Debug, thiserror::Error)]
#[error("the marketing database failed: {0}")]
pub struct BooksError(#[source] pub anyhow::Error);

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
    Books(#[from] BooksError),
}

/// The aggregates.
#[async_trait]
pub trait Books: Send + Sync {
    /// Those of the orders that are known.
    async fn benefits(&self, order_ids: &[String]) -> Result<Vec<(String, Tracked<Benefit>)>, BooksError>;
    /// Those of the coupons that exist.
    async fn coupons(&self, ids: &[String]) -> Result<Vec<Tracked<Coupon>>, BooksError>;
    /// Those of the customers that are known.
    async fn members(&self, customer_ids: &[String]) -> Result<Vec<Tracked<Member>>, BooksError>;
    /// Unused coupons whose time had passed at `now`, at most `limit`.
    async fn overdue(&self, now: i64, limit: usize) -> Result<Vec<Tracked<Coupon>>, BooksError>;
    /// Saves decisions.
    async fn save(&self, decisions: Decisions) -> Result<(), SaveError>;
}

/// End of a customer's feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose feed.
    pub customer_id: String,
    /// Number of its last item.
    pub sequence: u64,
    /// When the member last changed, in ms since 1970 by the clock of the replica that did it.
    pub touched_at: i64,
}

/// The feeds, to be read on and on.
#[async_trait]
pub trait Feeds: Send + Sync {
    /// A customer's items after a number, oldest first, at most `limit`.
    async fn items_after(
        &self,
        customer_id: &str,
        sequence: u64,
        limit: usize,
    ) -> Result<Vec<FeedItem>, BooksError>;
    /// The ends of these customers' feeds.
    async fn heads(&self, customer_ids: &[String]) -> Result<Vec<Head>, BooksError>;
    /// The ends of the feeds that changed after (time, customer), in that order, at most `limit`.
    async fn changed_after(&self, after: (i64, String), limit: usize) -> Result<Vec<Head>, BooksError>;
}

/// A customer's views.
#[async_trait]
pub trait Views: Send + Sync {
    /// A customer's coupons, newest first, after (issued at, id), at most `limit`.
    async fn coupons_of(
        &self,
        customer_id: &str,
        after: Option<(i64, String)>,
        limit: usize,
    ) -> Result<Vec<Coupon>, BooksError>;
    /// A customer's ledger, newest first, before the entry of that number, at most `limit`.
    async fn entries_of(
        &self,
        customer_id: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Entry>, BooksError>;
}

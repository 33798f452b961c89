//! Marketing's use cases: taking facts in, and letting coupons expire. Load → decide → save.

use crate::domain::{Coupon, Rules};
use crate::feed::FeedHub;
use crate::policies::{Desk, Fact};
use crate::ports::{Books, BooksError, Cause, Decisions, Feeds, SaveError, Tracked, Views};
use baedal_kit::clock::Clock;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// How often a decision is taken anew because somebody else changed a state meanwhile.
const MAX_TRIES: usize = 20;
/// Coupons expired in one transaction.
const EXPIRE_BATCH: usize = 200;
/// An order placed in a coupon's last minute may still be on its way.
const EXPIRY_GRACE_MS: i64 = 5 * 60_000;

/// Why a use case had no effect.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Others kept changing the same customers' accounts; worth trying again.
    #[error("too busy: others are changing the same accounts")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Books(#[from] BooksError),
}

/// An event of another service about one order.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Id of the event.
    pub id: Uuid,
    /// Which order.
    pub order_id: String,
    /// What it tells.
    pub fact: Fact,
    /// What to write into the events it leads to.
    pub cause: Cause,
}

/// The use cases, over the ports.
pub struct App {
    /// The aggregates.
    pub books: Arc<dyn Books>,
    /// The feeds.
    pub feeds: Arc<dyn Feeds>,
    /// The customers' views.
    pub views: Arc<dyn Views>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What an order earns.
    pub rules: Rules,
    /// Those who watch a feed in this process.
    pub hub: FeedHub,
}

impl App {
    /// Over one adapter that is all the ports.
    pub fn new<A>(adapter: Arc<A>, clock: Arc<dyn Clock>, rules: Rules) -> App
    where
        A: Books + Feeds + Views + 'static,
    {
        let (books, feeds): (Arc<dyn Books>, Arc<dyn Feeds>) = (adapter.clone(), adapter.clone());
        App {
            books,
            feeds,
            views: adapter,
            clock,
            rules,
            hub: FeedHub::default(),
        }
    }

    /// Policies: takes facts of other services in, each once, all or none.
    pub async fn take_in(&self, incoming: &[Incoming]) -> Result<(), AppError> {
        let mut seen = HashSet::new();
        let mut fresh: Vec<&Incoming> = incoming.iter().filter(|one| seen.insert(one.id)).collect();
        for attempt in 0..MAX_TRIES {
            if fresh.is_empty() {
                return Ok(());
            }
            let decisions = self.decide(&fresh).await?;
            let heads: Vec<(String, u64)> = decisions
                .feed
                .iter()
                .map(|item| (item.customer_id.clone(), item.sequence))
                .collect();
            match self.books.save(decisions).await {
                Ok(()) => {
                    heads
                        .iter()
                        .for_each(|(customer, sequence)| self.hub.announce(customer, *sequence));
                    return Ok(());
                }
                Err(SaveError::Seen { fresh: ids }) => fresh.retain(|one| ids.contains(&one.id)),
                Err(SaveError::Conflict) => pause(attempt).await,
                Err(SaveError::Books(error)) => return Err(error.into()),
            }
        }
        Err(AppError::Busy)
    }

    /// Lets unused coupons expire whose time has passed; says how many.
    pub async fn expire_coupons(&self) -> Result<usize, AppError> {
        let now = self.clock.now_ms();
        let overdue = self.books.overdue(now - EXPIRY_GRACE_MS, EXPIRE_BATCH).await?;
        let expired: Vec<Tracked<Coupon>> = overdue
            .into_iter()
            .filter_map(|coupon| expire(coupon, now))
            .collect();
        let count = expired.len();
        if count == 0 {
            return Ok(0);
        }
        match self
            .books
            .save(Decisions {
                coupons: expired,
                now,
                ..Decisions::default()
            })
            .await
        {
            Ok(()) => Ok(count),
            // Another replica was first, or one was reserved just now: the next round sees what is left.
            Err(SaveError::Conflict | SaveError::Seen { .. }) => Ok(0),
            Err(SaveError::Books(error)) => Err(error.into()),
        }
    }

    async fn decide(&self, incoming: &[&Incoming]) -> Result<Decisions, BooksError> {
        let mut desk = self.lay_out(incoming).await?;
        for one in incoming {
            desk.whenever(&one.order_id, one.fact.clone(), &self.rules, &one.cause);
        }
        let handled = incoming.iter().map(|one| one.id).collect();
        Ok(Decisions {
            handled,
            now: self.clock.now_ms(),
            ..desk.decisions()
        })
    }

    /// Loads every aggregate the facts may touch.
    async fn lay_out(&self, incoming: &[&Incoming]) -> Result<Desk, BooksError> {
        let orders: BTreeSet<String> = incoming.iter().map(|one| one.order_id.clone()).collect();
        let orders: Vec<String> = orders.into_iter().collect();
        let benefits = self.books.benefits(&orders).await?;
        let (mut coupons, mut members) = (BTreeSet::new(), BTreeSet::new());
        for (_, benefit) in &benefits {
            coupons.extend(benefit.state.coupon_id.clone());
            members.extend(
                benefit
                    .state
                    .delivery()
                    .map(|delivery| delivery.customer_id.clone()),
            );
        }
        for one in incoming {
            match &one.fact {
                Fact::OrderPlaced { coupon_id } => coupons.extend(coupon_id.clone()),
                Fact::Delivered { customer_id, .. } => {
                    coupons.insert(Coupon::id_for(&one.order_id));
                    members.insert(customer_id.clone());
                }
                Fact::OrderEnded | Fact::PaymentRefunded { .. } => {}
            }
        }
        let coupons = self
            .books
            .coupons(&coupons.into_iter().collect::<Vec<_>>())
            .await?;
        let members = self
            .books
            .members(&members.into_iter().collect::<Vec<_>>())
            .await?;
        Ok(Desk::with(benefits, coupons, members))
    }
}

fn expire(coupon: Tracked<Coupon>, now: i64) -> Option<Tracked<Coupon>> {
    let (state, _) = coupon.state.expire(now).ok()?;
    Some(Tracked {
        state,
        before: coupon.before,
        moves: 1,
    })
}

/// Lets the other replica go first; longer each time, so that several do not step on each other for ever.
async fn pause(attempt: usize) {
    let jitter = u64::from(Uuid::now_v7().as_bytes()[15]) % 8;
    let ms = (attempt as u64 * 4).min(40) + jitter;
    tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
}

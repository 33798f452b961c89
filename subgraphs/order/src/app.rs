//! What order does, one method per command: load → decide → commit. Knows no transport, database or clock of its own.

mod digest;
mod place;
mod sweep;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use baedal_kit::clock::{Clock, Ids};
use uuid::Uuid;

use crate::{
    domain::{
        CancelReason, CustomerId, Event, Failure, InvalidTransition, Menu, Order, OrderId, Recorded, Refusal,
        StoreId,
    },
    policies::Limits,
    ports::{Changes, Coupons, Menus, Orders, Payments, StoreError},
};

pub use digest::Incoming;

/// How often a decision is taken again because another writer was first.
const ATTEMPTS: usize = 8;

/// The order application.
#[derive(Clone)]
pub struct App {
    ports: Ports,
    limits: Limits,
    placements: Arc<Placements>,
}

/// How attempts to place an order have ended.
#[derive(Debug, Default)]
pub struct Placements {
    /// There is an order, new or of an earlier attempt.
    pub placed: AtomicU64,
    /// Payment said no.
    pub declined: AtomicU64,
    /// Payment did not say anything, or not yet.
    pub unavailable: AtomicU64,
    /// What was asked for cannot be ordered.
    pub refused: AtomicU64,
    /// The records failed.
    pub failed: AtomicU64,
}

impl Placements {
    fn count(&self, outcome: &Result<Order, AppError>) {
        let count = match outcome {
            Ok(_) => &self.placed,
            Err(AppError::NotPaid { failure, .. }) => match failure {
                Failure::Declined { .. } => &self.declined,
                Failure::Unavailable { .. } => &self.unavailable,
            },
            Err(AppError::StillPaying { .. }) => &self.unavailable,
            Err(AppError::Store(_)) => &self.failed,
            Err(_) => &self.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// What the application stands on.
#[derive(Clone)]
pub struct Ports {
    /// The records.
    pub orders: Arc<dyn Orders>,
    /// The menu replica.
    pub menus: Arc<dyn Menus>,
    /// The coupon replica.
    pub coupons: Arc<dyn Coupons>,
    /// Whoever charges.
    pub payments: Arc<dyn Payments>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of new orders and events.
    pub ids: Arc<dyn Ids>,
}

/// Who asks for something to be done to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Acts on own orders; others are as if they were not there.
    Customer(CustomerId),
    /// Acts on every order.
    Operator,
}

impl Actor {
    /// Whether the order is there for this actor.
    pub fn sees(&self, order: &Order) -> bool {
        match self {
            Actor::Customer(customer) => order.customer == *customer,
            Actor::Operator => true,
        }
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// What was asked for cannot be ordered.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The order exists, but it is not paid.
    #[error("{}", not_paid(.failure))]
    NotPaid {
        /// Which order.
        order: OrderId,
        /// Why.
        failure: Failure,
        /// When it may be worth trying again, with another key.
        retry_after: Option<Duration>,
    },
    /// The first attempt under this key is still being paid: neither paid nor failed yet.
    #[error("the order is still being paid; repeat the request with the same key to learn how it ended")]
    StillPaying {
        /// Which order.
        order: OrderId,
        /// When it will be decided, at the latest after a sweep.
        retry_after: Duration,
    },
    /// The key was used for another order.
    #[error("the idempotency key was already used for an order with other contents")]
    OtherContents,
    /// No such order, or not the caller's.
    #[error("there is no order {0}")]
    NotFound(String),
    /// The state machine has no such step.
    #[error(transparent)]
    InvalidTransition(#[from] InvalidTransition),
    /// The records did not answer, or stayed contended.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn not_paid(failure: &Failure) -> String {
    match failure {
        Failure::Declined { reason } => format!("the payment was declined: {reason}"),
        Failure::Unavailable { .. } => {
            "payment is not available at the moment; nothing is charged".to_owned()
        }
    }
}

/// A short pause before deciding again: a store that answers by majority shows the other's write a moment later.
async fn let_the_first_land() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

impl App {
    /// An application over these ports.
    pub fn new(ports: Ports, limits: Limits) -> App {
        App {
            ports,
            limits,
            placements: Arc::default(),
        }
    }

    /// How attempts to place an order have ended, since the start.
    pub fn placements(&self) -> &Arc<Placements> {
        &self.placements
    }

    /// The records, for reading.
    pub fn orders(&self) -> &Arc<dyn Orders> {
        &self.ports.orders
    }

    /// What is known of a store's menu.
    pub async fn menu(&self, store: &StoreId) -> Result<Option<Menu>, StoreError> {
        self.ports.menus.menu(store).await
    }

    /// The time, for reading.
    pub fn now(&self) -> i64 {
        self.ports.clock.now_ms()
    }

    /// Asks the store to give an order up.
    pub async fn cancel(&self, actor: &Actor, order: &OrderId) -> Result<Order, AppError> {
        for _ in 0..ATTEMPTS {
            let found = self
                .ports
                .orders
                .find(order)
                .await?
                .filter(|order| actor.sees(order));
            let found = found.ok_or_else(|| AppError::NotFound(order.as_str().to_owned()))?;
            let step = found.request_cancel(CancelReason::Customer, self.now())?;
            match self.save(step).await {
                Err(StoreError::Conflict) => let_the_first_land().await,
                saved => return Ok(saved?),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Commits one order with its events; gives it back as it is now on record.
    async fn save(&self, (mut order, events): (Order, Vec<Event>)) -> Result<Order, StoreError> {
        let events = self.record(&mut order, events, None);
        self.ports
            .orders
            .commit(Changes {
                orders: vec![order.clone()],
                events,
                ..Changes::default()
            })
            .await?;
        order.version += 1;
        Ok(order)
    }

    /// Gives events their identity and counts them in the order.
    fn record(&self, order: &mut Order, events: Vec<Event>, cause: Option<Uuid>) -> Vec<Recorded> {
        let first = order.events + 1;
        order.events += events.len() as u64;
        let at = self.now();
        let record = |(sequence, event)| Recorded {
            id: self.ports.ids.next(),
            order: order.clone(),
            sequence,
            at,
            cause,
            event,
        };
        (first..).zip(events).map(record).collect()
    }
}

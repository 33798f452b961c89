//! placeOrder: the one command that waits for another service.
//!
//! First PAYMENT_PENDING is committed. Then payment is asked, outside any transaction. Then its answer is committed with
//! the event that tells of it. Whatever dies in between is found by the sweep, which fails the order and has payment
//! voided; should the sweep and a late answer meet, whoever commits first wins and the other follows.

use std::time::Duration;

use baedal_kit::failpoint;
use tokio::time::Instant;

use super::{ATTEMPTS, App, AppError, let_the_first_land};
use crate::{
    domain::{
        Basket, Failure, IdempotencyKey, InvalidTransition, Order, OrderId, Refusal, State, Status, Step,
    },
    ports::{Approval, Changes, Charge, StoreError},
};

/// How often a repetition looks whether the first attempt has been answered.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// How often an order that must be there is looked for before the attempt is given up.
const LOOKS: usize = 20;

impl App {
    /// Places an order and pays it. Repeated with the same key and contents it gives the same order, or the same failure.
    pub async fn place(&self, basket: Basket) -> Result<Order, AppError> {
        let outcome = self.place_once(basket).await;
        self.placements.count(&outcome);
        outcome
    }

    async fn place_once(&self, mut basket: Basket) -> Result<Order, AppError> {
        if failpoint::sabotaged("idempotency") {
            basket.key = IdempotencyKey::parse(&self.ports.ids.next().to_string()).expect("a UUID is a key");
        }
        if let Some(known) = self.ports.orders.by_key(&basket.customer, &basket.key).await? {
            return self.repeated(known, &basket).await;
        }
        let order = self.draft(basket.clone()).await?;
        match self
            .ports
            .orders
            .commit(Changes {
                orders: vec![order.clone()],
                ..Changes::default()
            })
            .await
        {
            Ok(()) => self.pay(Order { version: 1, ..order }).await,
            Err(StoreError::Conflict) => {
                let known = self.known_soon(&basket).await?;
                self.repeated(known, &basket).await
            }
            Err(StoreError::CouponTaken) => Err(coupon_unusable(&basket).into()),
            Err(failed) => Err(failed.into()),
        }
    }

    /// The order that was first with this key. Its writer may have it, and its reader not yet: a store that answers by
    /// majority shows it a moment later.
    async fn known_soon(&self, basket: &Basket) -> Result<Order, StoreError> {
        for _ in 0..LOOKS {
            if let Some(known) = self.ports.orders.by_key(&basket.customer, &basket.key).await? {
                return Ok(known);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(StoreError::Conflict)
    }

    async fn draft(&self, basket: Basket) -> Result<Order, AppError> {
        let id = OrderId::parse(&self.ports.ids.next().to_string()).expect("a UUID is an identifier");
        let menu = self.ports.menus.menu(&basket.store).await?;
        let coupon = match &basket.coupon {
            Some(coupon) => self.ports.coupons.free_coupon(coupon).await?,
            None => None,
        };
        let now = self.now();
        Ok(Order::request(
            basket.price(id, menu.as_ref(), coupon.as_ref(), now)?,
            now,
        ))
    }

    async fn pay(&self, order: Order) -> Result<Order, AppError> {
        let charge = Charge {
            order: order.id.clone(),
            customer: order.customer.clone(),
            amount: order.total,
        };
        failpoint::hit("order.before_payment");
        let approval = self.ports.payments.approve(&charge).await;
        failpoint::hit("order.after_payment");
        let order = self.conclude(order, &approval).await?;
        failpoint::hit("order.before_reply");
        let retry_after = match approval {
            Approval::Unavailable { retry_after, .. } => retry_after,
            _ => None,
        };
        outcome(order, retry_after)
    }

    /// Commits payment's answer, unless the order was given up meanwhile: then that stands.
    async fn conclude(&self, order: Order, approval: &Approval) -> Result<Order, AppError> {
        let mut order = order;
        for _ in 0..ATTEMPTS {
            if order.state.status() != Status::PaymentPending {
                return Ok(order);
            }
            let id = order.id.clone();
            match self.save(self.answered(order, approval)?).await {
                Err(StoreError::Conflict) => {
                    let_the_first_land().await;
                    let found = self.ports.orders.find(&id).await?;
                    order = found.ok_or_else(|| AppError::NotFound(id.as_str().to_owned()))?;
                }
                saved => return Ok(saved?),
            }
        }
        Err(StoreError::Conflict.into())
    }

    fn answered(&self, order: Order, approval: &Approval) -> Result<Step, InvalidTransition> {
        let now = self.now();
        match approval {
            Approval::Approved => order.place(now),
            Approval::Declined { reason } => order.fail(
                Failure::Declined {
                    reason: reason.clone(),
                },
                now,
            ),
            Approval::Unavailable { reason, .. } => order.fail(
                Failure::Unavailable {
                    reason: reason.clone(),
                },
                now,
            ),
        }
    }

    /// Gives what the first attempt gave, waiting for it as long as it may take.
    async fn repeated(&self, known: Order, basket: &Basket) -> Result<Order, AppError> {
        if !known.answers(basket) {
            return Err(AppError::OtherContents);
        }
        let until = Instant::now() + self.limits.payment.min(Duration::from_millis(900));
        let mut order = known;
        while order.state.status() == Status::PaymentPending && Instant::now() < until {
            tokio::time::sleep(LOOK_EVERY).await;
            let found = self.ports.orders.find(&order.id).await?;
            order = found.ok_or_else(|| AppError::NotFound(order.id.as_str().to_owned()))?;
        }
        outcome(order, None)
    }
}

/// The order as its customer is told of it: an error where it was not paid.
fn outcome(order: Order, retry_after: Option<Duration>) -> Result<Order, AppError> {
    match &order.state {
        State::PaymentFailed { failure, .. } => Err(AppError::NotPaid {
            failure: failure.clone(),
            order: order.id,
            retry_after,
        }),
        State::PaymentPending { .. } => Err(AppError::StillPaying {
            order: order.id,
            retry_after: Duration::from_secs(1),
        }),
        _ => Ok(order),
    }
}

fn coupon_unusable(basket: &Basket) -> Refusal {
    Refusal::CouponUnusable(
        basket
            .coupon
            .as_ref()
            .map(|coupon| coupon.as_str().to_owned())
            .unwrap_or_default(),
    )
}

//! Whenever EVENT then COMMAND.
//!
//! | whenever | then |
//! |---|---|
//! | a store tells of its ticket (주문수락됨 … 배송됨) | the order hears it: its status follows |
//! | 주문거절됨 OrderRejected | the order is rejected and cancelled, so that payment refunds |
//! | 주문취소수락됨 / 주문취소거부됨 | the cancel goes through, or the order goes back to where it was |
//! | 결제취소됨 PaymentRefunded | the order is CANCELLED |
//! | a store tells of its menu | the replica follows |
//! | 쿠폰발행됨 CouponIssued | the coupon is known |
//! | an attempt to pay was left without an answer | it fails, and payment is told to void it |
//! | a store does not accept in time | the order asks it to give the order up |

use std::time::Duration;

use crate::domain::{
    CancelReason, Coupon, Event, Failure, InvalidTransition, MenuNews, Millis, News, Order, OrderId, Status,
    StoreId,
};

/// What another context's event makes order do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Command {
    /// Let an order hear news of it.
    Hear { order: OrderId, news: News, at: Millis },
    /// Bring a menu up to date.
    UpdateMenu { store: StoreId, news: MenuNews },
    /// Remember a coupon.
    LearnCoupon(Coupon),
}

/// How long an order may wait for whom.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For payment's answer; longer than any live attempt takes.
    pub payment: Duration,
    /// For the store to accept.
    pub acceptance: Duration,
}

impl Limits {
    /// The statuses time does something about, with the instant before which they were entered to be overdue.
    pub fn deadlines(&self, now: Millis) -> [(Status, Millis); 2] {
        [
            (Status::PaymentPending, before(now, self.payment)),
            (Status::Placed, before(now, self.acceptance)),
        ]
    }
}

/// What time makes of an order that has waited too long.
pub fn overdue(order: Order, now: Millis) -> Result<(Order, Vec<Event>), InvalidTransition> {
    match order.state.status() {
        Status::PaymentPending => order.fail(
            Failure::Unavailable {
                reason: "the attempt was interrupted".to_owned(),
            },
            now,
        ),
        _ => order.request_cancel(CancelReason::NotAcceptedInTime, now),
    }
}

fn before(now: Millis, ago: Duration) -> Millis {
    now - i64::try_from(ago.as_millis()).unwrap_or(i64::MAX / 2)
}

//! The words and rules of the marketing context (마케팅): coupons, points, and a customer's feed of deliveries.
//!
//! Pure: a transition consumes a state and returns the next one with the events it caused, or refuses.
//! Nothing here knows of storage, transport or serialization.

mod benefit;
mod coupon;
mod member;

pub use benefit::{Benefit, Delivery, End};
pub use coupon::{Coupon, CouponEvent, CouponState};
pub use member::{Entry, EntryKind, FeedItem, Member, PointsEvent};

/// Why a command was refused; the state is then unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The state machine has no such transition.
    #[error("{command} is not possible while the coupon is {from}")]
    InvalidTransition {
        /// The command.
        command: &'static str,
        /// The state it was in.
        from: &'static str,
    },
}

/// What a delivered order earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Points per 10 000 won paid.
    pub points_per_10_000: i64,
    /// What a coupon takes off an order, in KRW.
    pub coupon_amount: i64,
    /// How long a coupon can be used, in ms.
    pub coupon_lifetime_ms: i64,
}

impl Default for Rules {
    /// 5 % in points, and 1 000 won off one of the next orders within 30 days.
    fn default() -> Self {
        Rules {
            points_per_10_000: 500,
            coupon_amount: 1_000,
            coupon_lifetime_ms: 30 * 24 * 3_600_000,
        }
    }
}

impl Rules {
    /// Points for an order of that many won, rounded down.
    pub fn points(&self, total: i64) -> i64 {
        let points = i128::from(total.max(0)) * i128::from(self.points_per_10_000) / 10_000;
        i64::try_from(points).unwrap_or(i64::MAX)
    }
}

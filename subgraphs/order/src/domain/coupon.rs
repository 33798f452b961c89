//! A coupon as order knows it: a replica of what marketing issued. Whether it is in use is order's own record.

use super::{CouponId, CustomerId, Millis, Won};

/// A coupon that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// Which.
    pub id: CouponId,
    /// Whose.
    pub customer: CustomerId,
    /// What it takes off.
    pub amount: Won,
    /// Until when.
    pub expires_at: Millis,
}

impl Coupon {
    /// Whether this customer may use it now, as far as the coupon itself goes.
    pub fn usable_by(&self, customer: &CustomerId, now: Millis) -> bool {
        self.customer == *customer && now < self.expires_at
    }
}

//! Coupon (쿠폰): given for a delivered order, taken off one of the next.
//!
//! ISSUED → RESERVED(order) → REDEEMED; RESERVED → ISSUED; ISSUED → EXPIRED. Events of different orders come in any
//! order: an order that wants a coupon still held by another one waits in line, and gets it when it is released.

use super::Refused;

/// A coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// Id; made of the order it was given for, so that an order cannot give two.
    pub id: String,
    /// `sub` of the customer.
    pub customer_id: String,
    /// What it takes off, in KRW.
    pub amount: i64,
    /// The delivered order it was given for.
    pub issued_for: String,
    /// When, in ms since 1970.
    pub issued_at: i64,
    /// Until when it can be reserved, in ms since 1970.
    pub expires_at: i64,
    /// What became of it.
    pub state: CouponState,
}

/// What became of a coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CouponState {
    /// Free to use.
    Issued,
    /// Held for an order; others may wait for it.
    Reserved {
        /// The order that has it.
        order_id: String,
        /// Orders that want it, in the order they asked.
        waiting: Vec<String>,
    },
    /// Used up by an order that was delivered.
    Redeemed {
        /// That order.
        order_id: String,
    },
    /// Not used in time.
    Expired,
}

/// What happened to a coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CouponEvent {
    /// 쿠폰발행됨.
    Issued,
    /// 쿠폰사용됨.
    Redeemed {
        /// By which order.
        order_id: String,
    },
    /// 쿠폰반환됨.
    Released {
        /// The order that came to nothing.
        order_id: String,
    },
}

type Decided = Result<(Coupon, Vec<CouponEvent>), Refused>;

impl Coupon {
    /// Gives a coupon for a delivered order.
    pub fn issue(
        order_id: &str,
        customer_id: &str,
        amount: i64,
        at: i64,
        lifetime_ms: i64,
    ) -> (Coupon, Vec<CouponEvent>) {
        let coupon = Coupon {
            id: Coupon::id_for(order_id),
            customer_id: customer_id.to_owned(),
            amount,
            issued_for: order_id.to_owned(),
            issued_at: at,
            expires_at: at.saturating_add(lifetime_ms),
            state: CouponState::Issued,
        };
        (coupon, vec![CouponEvent::Issued])
    }

    /// The id of the one coupon an order can give.
    pub fn id_for(order_id: &str) -> String {
        format!("coupon-{order_id}")
    }

    /// ISSUED → RESERVED(order); in line behind another order that has it.
    pub fn reserve(self, order: &str) -> Decided {
        let state = match self.state {
            CouponState::Issued => CouponState::Reserved {
                order_id: order.to_owned(),
                waiting: Vec::new(),
            },
            CouponState::Reserved {
                order_id,
                mut waiting,
            } => {
                if order_id != order && !waiting.iter().any(|one| one == order) {
                    waiting.push(order.to_owned());
                }
                CouponState::Reserved { order_id, waiting }
            }
            CouponState::Redeemed { .. } | CouponState::Expired => return Err(self.not_while("reserve")),
        };
        Ok((Coupon { state, ..self }, Vec::new()))
    }

    /// RESERVED(order) → REDEEMED.
    pub fn redeem(self, order: &str) -> Decided {
        match &self.state {
            CouponState::Reserved { order_id, waiting }
                if order_id == order || waiting.iter().any(|one| one == order) =>
            {
                let state = CouponState::Redeemed {
                    order_id: order.to_owned(),
                };
                let event = CouponEvent::Redeemed {
                    order_id: order.to_owned(),
                };
                Ok((Coupon { state, ..self }, vec![event]))
            }
            CouponState::Redeemed { order_id } if order_id == order => Ok((self, Vec::new())),
            _ => Err(self.not_while("redeem")),
        }
    }

    /// RESERVED(order) → ISSUED, or to the next order in line.
    pub fn release(self, order: &str) -> Decided {
        match self.state.clone() {
            CouponState::Reserved { order_id, waiting } if order_id == order => {
                let mut waiting = waiting.into_iter();
                let Some(next) = waiting.next() else {
                    let event = CouponEvent::Released { order_id };
                    return Ok((
                        Coupon {
                            state: CouponState::Issued,
                            ..self
                        },
                        vec![event],
                    ));
                };
                let state = CouponState::Reserved {
                    order_id: next,
                    waiting: waiting.collect(),
                };
                Ok((Coupon { state, ..self }, Vec::new()))
            }
            CouponState::Reserved {
                order_id,
                mut waiting,
            } if waiting.iter().any(|one| one == order) => {
                waiting.retain(|one| one != order);
                Ok((
                    Coupon {
                        state: CouponState::Reserved { order_id, waiting },
                        ..self
                    },
                    Vec::new(),
                ))
            }
            _ => Err(self.not_while("release")),
        }
    }

    /// ISSUED → EXPIRED, once its time has passed.
    pub fn expire(self, now: i64) -> Decided {
        match self.state {
            CouponState::Issued if self.expires_at <= now => Ok((
                Coupon {
                    state: CouponState::Expired,
                    ..self
                },
                Vec::new(),
            )),
            _ => Err(self.not_while("expire")),
        }
    }

    fn not_while(&self, command: &'static str) -> Refused {
        Refused::InvalidTransition {
            command,
            from: self.state.name(),
        }
    }
}

impl CouponState {
    /// As the API writes it.
    pub fn name(&self) -> &'static str {
        match self {
            CouponState::Issued => "ISSUED",
            CouponState::Reserved { .. } => "RESERVED",
            CouponState::Redeemed { .. } => "REDEEMED",
            CouponState::Expired => "EXPIRED",
        }
    }
}

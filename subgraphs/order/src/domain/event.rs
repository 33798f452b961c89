//! What happened to an order, for the other contexts.

use uuid::Uuid;

use super::{Millis, Order};

/// 주문 events. What they carry is the order itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Event {
    /// 주문됨
    Placed,
    /// 결제실패됨
    PaymentFailed { code: &'static str, void: bool },
    /// 주문취소요청됨
    CancelRequested { reason: CancelReason },
    /// 주문취소됨
    Cancelled { reason: CancelReason },
}

/// Why an order is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CancelReason {
    /// The customer asked.
    Customer,
    /// The store did not accept it in time.
    NotAcceptedInTime,
    /// The store will not cook it.
    StoreRejected,
}

impl CancelReason {
    /// The published name.
    pub fn name(self) -> &'static str {
        match self {
            CancelReason::Customer => "CUSTOMER",
            CancelReason::NotAcceptedInTime => "NOT_ACCEPTED_IN_TIME",
            CancelReason::StoreRejected => "STORE_REJECTED",
        }
    }
}

/// An event with its identity, ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Unique, ordered by time (UUIDv7).
    pub id: Uuid,
    /// The order as the event left it.
    pub order: Order,
    /// Position among the order's own events, from 1.
    pub sequence: u64,
    /// When it happened.
    pub at: Millis,
    /// The event that caused it, when one did.
    pub cause: Option<Uuid>,
    /// What happened.
    pub event: Event,
}

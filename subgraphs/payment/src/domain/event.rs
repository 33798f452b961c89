//! What happened to a payment, for the other contexts.

use uuid::Uuid;

use super::{CustomerId, Millis, OrderId, Won};

/// 결제 events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Event {
    /// 결제승인됨
    Approved { amount: Won },
    /// 결제거절됨
    Declined { amount: Won, reason: String },
    /// 결제무효됨
    Voided { amount: Won, reason: String },
    /// 결제취소됨
    Refunded { amount: Won, reason: String },
}

/// An event with its identity, ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Unique, ordered by time (UUIDv7).
    pub id: Uuid,
    /// The order it is about.
    pub order: OrderId,
    /// Whose payment; see [`super::Payment::customer`].
    pub customer: Option<CustomerId>,
    /// Position among the payment's own events.
    pub sequence: u64,
    /// When it happened.
    pub at: Millis,
    /// The event that caused it, when one did.
    pub cause: Option<Uuid>,
    /// What happened.
    pub event: Event,
}

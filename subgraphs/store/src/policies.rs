//! Whenever an event of another service comes, what the store does about it.

use crate::domain::{Asked, Paid, Placed, StoreOrder, TicketEvent};

/// What other services tell the store about an order.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// 주문됨.
    OrderPlaced(Placed),
    /// 결제승인됨.
    PaymentApproved(Paid),
    /// 주문취소요청됨.
    OrderCancelRequested(Asked),
    /// 주문취소됨.
    OrderCancelled,
    /// 결제무효됨.
    PaymentVoided,
    /// 결제취소됨.
    PaymentRefunded,
}

/// - whenever OrderPlaced or PaymentApproved then receive (once both are there)
/// - whenever OrderCancelRequested then accept or refuse the cancellation
/// - whenever OrderCancelled, PaymentVoided or PaymentRefunded then cook nothing for it
pub fn whenever(fact: Fact, order: StoreOrder, now: i64) -> (StoreOrder, Vec<TicketEvent>) {
    match fact {
        Fact::OrderPlaced(placed) => (order.note_placed(placed, now), Vec::new()),
        Fact::PaymentApproved(paid) => (order.note_paid(paid, now), Vec::new()),
        Fact::OrderCancelRequested(asked) => order.request_cancel(asked),
        Fact::OrderCancelled | Fact::PaymentVoided | Fact::PaymentRefunded => (order.cancel(), Vec::new()),
    }
}

//! Whenever EVENT then COMMAND.

use crate::{
    app::Command,
    domain::{CustomerId, InvalidValue, OrderId},
};

/// What payment listens to, of what order publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEvent {
    /// 결제실패됨
    PaymentFailed {
        /// The order.
        order: String,
        /// Who ordered.
        customer: String,
        /// Why.
        reason: String,
        /// The attempt's outcome is not known to the order.
        void: bool,
    },
    /// 주문취소됨
    Cancelled {
        /// The order.
        order: String,
        /// Why.
        reason: String,
    },
}

/// Whenever an attempt timed out then void; whenever an order is cancelled then refund.
pub fn react(event: OrderEvent) -> Result<Option<Command>, InvalidValue> {
    Ok(match event {
        OrderEvent::PaymentFailed { void: false, .. } => None,
        OrderEvent::PaymentFailed {
            order,
            customer,
            reason,
            void: true,
        } => Some(Command::Void {
            order: OrderId::parse(&order)?,
            customer: Some(CustomerId::parse(&customer)?),
            reason,
        }),
        OrderEvent::Cancelled { order, reason } => Some(Command::Refund {
            order: OrderId::parse(&order)?,
            reason,
        }),
    })
}

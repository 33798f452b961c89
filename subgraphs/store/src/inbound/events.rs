//! Events of order and payment, as facts for the policies.

use crate::app::{App, AppError, Incoming};
use crate::domain::{Asked, Line, Paid, Placed};
use crate::policies::Fact;
use crate::ports::Cause;
use async_trait::async_trait;
use baedal_events::DomainEvent;
use baedal_events::order::{OrderCancelRequested, OrderCancelled, OrderPlaced};
use baedal_events::payment::{PaymentApproved, PaymentRefunded, PaymentVoided};
use baedal_kit::consumer::{HandleError, Handler};
use baedal_kit::envelope::Envelope;
use std::sync::Arc;

/// Feeds the policies.
pub struct Inbox {
    /// The application.
    pub app: Arc<App>,
}

#[async_trait]
impl Handler for Inbox {
    fn version_of(&self, event_type: &str) -> Option<u32> {
        match event_type {
            OrderPlaced::TYPE => Some(OrderPlaced::VERSION),
            OrderCancelRequested::TYPE => Some(OrderCancelRequested::VERSION),
            OrderCancelled::TYPE => Some(OrderCancelled::VERSION),
            PaymentApproved::TYPE => Some(PaymentApproved::VERSION),
            PaymentVoided::TYPE => Some(PaymentVoided::VERSION),
            PaymentRefunded::TYPE => Some(PaymentRefunded::VERSION),
            _ => None,
        }
    }

    async fn handle(&self, batch: &[Envelope]) -> Result<(), HandleError> {
        let read = batch.iter().filter_map(|envelope| incoming(envelope).transpose());
        let incoming = read.collect::<Result<Vec<_>, _>>()?;
        self.app
            .take_in(&incoming)
            .await
            .map_err(|error: AppError| HandleError::Transient(error.into()))
    }
}

fn incoming(envelope: &Envelope) -> Result<Option<Incoming>, HandleError> {
    let Some((order_id, fact)) = fact(envelope)
        .map_err(|error| HandleError::Poison(format!("{} {}: {error}", envelope.r#type, envelope.id)))?
    else {
        return Ok(None);
    };
    let cause = Cause {
        causation_id: Some(envelope.id.to_string()),
        traceparent: envelope.traceparent.clone(),
    };
    Ok(Some(Incoming {
        id: envelope.id,
        order_id,
        fact,
        cause,
    }))
}

fn fact(envelope: &Envelope) -> Result<Option<(String, Fact)>, serde_json::Error> {
    let data = &envelope.data;
    Ok(Some(match envelope.r#type.as_str() {
        OrderPlaced::TYPE => placed(OrderPlaced::from_data(data)?, envelope.time),
        OrderCancelRequested::TYPE => {
            let event = OrderCancelRequested::from_data(data)?;
            let asked = Asked {
                store_id: event.store_id,
                customer_id: event.customer_id,
            };
            (event.order_id, Fact::OrderCancelRequested(asked))
        }
        OrderCancelled::TYPE => (OrderCancelled::from_data(data)?.order_id, Fact::OrderCancelled),
        PaymentApproved::TYPE => {
            let event = PaymentApproved::from_data(data)?;
            (
                event.order_id,
                Fact::PaymentApproved(Paid { amount: event.amount }),
            )
        }
        PaymentVoided::TYPE => (PaymentVoided::from_data(data)?.order_id, Fact::PaymentVoided),
        PaymentRefunded::TYPE => (PaymentRefunded::from_data(data)?.order_id, Fact::PaymentRefunded),
        _ => return Ok(None),
    }))
}

fn placed(event: OrderPlaced, at: i64) -> (String, Fact) {
    let line = |item: baedal_events::order::OrderItem| Line {
        menu_item_id: item.menu_item_id,
        name: item.name,
        quantity: item.quantity,
        unit_price: item.unit_price,
    };
    let placed = Placed {
        store_id: event.store_id,
        customer_id: event.customer_id,
        lines: event.items.into_iter().map(line).collect(),
        address: event.address,
        total: event.total,
        placed_at: at,
    };
    (event.order_id, Fact::OrderPlaced(placed))
}

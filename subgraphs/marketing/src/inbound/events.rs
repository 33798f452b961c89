//! Events of order, payment and store, as facts for the policies.

use crate::app::{App, AppError, Incoming};
use crate::policies::Fact;
use crate::ports::Cause;
use async_trait::async_trait;
use baedal_events::DomainEvent;
use baedal_events::order::{OrderCancelled, OrderPaymentFailed, OrderPlaced};
use baedal_events::payment::PaymentRefunded;
use baedal_events::store::Delivered;
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
            OrderCancelled::TYPE => Some(OrderCancelled::VERSION),
            OrderPaymentFailed::TYPE => Some(OrderPaymentFailed::VERSION),
            PaymentRefunded::TYPE => Some(PaymentRefunded::VERSION),
            Delivered::TYPE => Some(Delivered::VERSION),
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
    let (data, at) = (&envelope.data, envelope.time);
    Ok(Some(match envelope.r#type.as_str() {
        OrderPlaced::TYPE => {
            let event = OrderPlaced::from_data(data)?;
            (
                event.order_id,
                Fact::OrderPlaced {
                    coupon_id: event.coupon_id,
                },
            )
        }
        OrderCancelled::TYPE => (OrderCancelled::from_data(data)?.order_id, Fact::OrderEnded),
        OrderPaymentFailed::TYPE => (OrderPaymentFailed::from_data(data)?.order_id, Fact::OrderEnded),
        PaymentRefunded::TYPE => (
            PaymentRefunded::from_data(data)?.order_id,
            Fact::PaymentRefunded { at },
        ),
        Delivered::TYPE => {
            let Delivered {
                order_id,
                store_id,
                customer_id,
                total,
            } = Delivered::from_data(data)?;
            (
                order_id,
                Fact::Delivered {
                    customer_id,
                    store_id,
                    total,
                    at,
                },
            )
        }
        _ => return Ok(None),
    }))
}

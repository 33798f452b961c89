//! The order topic: every event becomes a command or nothing, and counts once.

use async_trait::async_trait;
use baedal_events::{
    DomainEvent,
    order::{OrderCancelled, OrderPaymentFailed},
};
use baedal_kit::{
    consumer::{HandleError, Handler},
    envelope::Envelope,
};

use crate::{
    app::{App, Incoming},
    policies::{OrderEvent, react},
    ports::StoreError,
};
use std::sync::Arc;
use tokio::sync::Notify;

/// Payment's ear on the order topic.
pub struct OrderEvents {
    app: App,
    settle: Arc<Notify>,
}

impl OrderEvents {
    /// Wakes `settle` whenever there may be something to ask of the provider.
    pub fn new(app: App, settle: Arc<Notify>) -> OrderEvents {
        OrderEvents { app, settle }
    }
}

#[async_trait]
impl Handler for OrderEvents {
    fn version_of(&self, event_type: &str) -> Option<u32> {
        match event_type {
            OrderPaymentFailed::TYPE => Some(OrderPaymentFailed::VERSION),
            OrderCancelled::TYPE => Some(OrderCancelled::VERSION),
            _ => None,
        }
    }

    async fn handle(&self, batch: &[Envelope]) -> Result<(), HandleError> {
        let incoming = batch.iter().map(incoming).collect::<Result<Vec<_>, _>>()?;
        self.app.digest(&incoming).await.map_err(transient)?;
        self.settle.notify_one();
        Ok(())
    }
}

fn incoming(envelope: &Envelope) -> Result<Incoming, HandleError> {
    let poison = |what: String| HandleError::Poison(format!("{} {}: {what}", envelope.r#type, envelope.id));
    let event = read(envelope).map_err(|error| poison(error.to_string()))?;
    let command = event
        .map(react)
        .transpose()
        .map_err(|error| poison(error.to_string()))?
        .flatten();
    Ok(Incoming {
        event: envelope.id,
        command,
    })
}

fn read(envelope: &Envelope) -> Result<Option<OrderEvent>, serde_json::Error> {
    Ok(match envelope.r#type.as_str() {
        OrderPaymentFailed::TYPE => {
            let failed = OrderPaymentFailed::from_data(&envelope.data)?;
            Some(OrderEvent::PaymentFailed {
                order: failed.order_id,
                customer: failed.customer_id,
                reason: failed.reason,
                void: failed.void_payment,
            })
        }
        OrderCancelled::TYPE => {
            let cancelled = OrderCancelled::from_data(&envelope.data)?;
            Some(OrderEvent::Cancelled {
                order: cancelled.order_id,
                reason: cancelled.reason,
            })
        }
        _ => None,
    })
}

fn transient(error: StoreError) -> HandleError {
    HandleError::Transient(error.into())
}

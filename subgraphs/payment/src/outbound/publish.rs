//! Payment's events in the published language.

use baedal_events::{
    DomainEvent,
    payment::{PaymentApproved, PaymentDeclined, PaymentRefunded, PaymentVoided},
};
use baedal_kit::envelope::{Envelope, Fact, Origin};

use crate::domain::{Event, Recorded};

/// The envelope of an event; its topic is `baedal_events::PAYMENT_TOPIC`.
pub fn envelope(recorded: &Recorded) -> Envelope {
    let origin = Origin {
        id: recorded.id,
        time: recorded.at,
        source: "payment",
    };
    let order = recorded.order.as_str();
    let mut envelope = Envelope::new(payload(recorded), origin, order, recorded.sequence);
    envelope.causation_id = recorded.cause.map(|id| id.to_string());
    envelope
}

fn payload(recorded: &Recorded) -> Fact {
    let order_id = recorded.order.as_str().to_owned();
    let customer = recorded
        .customer
        .as_ref()
        .map(|customer| customer.as_str().to_owned());
    let named = || customer.clone().unwrap_or_default();
    match &recorded.event {
        Event::Approved { amount } => fact(&PaymentApproved {
            order_id,
            customer_id: named(),
            amount: amount.get(),
        }),
        Event::Declined { amount, reason } => fact(&PaymentDeclined {
            order_id,
            customer_id: named(),
            amount: amount.get(),
            reason: reason.clone(),
        }),
        Event::Voided { amount, .. } => fact(&PaymentVoided {
            order_id,
            customer_id: customer,
            amount: amount.get(),
        }),
        Event::Refunded { amount, reason } => fact(&PaymentRefunded {
            order_id,
            customer_id: named(),
            amount: amount.get(),
            reason: reason.clone(),
        }),
    }
}

fn fact<E: DomainEvent>(event: &E) -> Fact {
    Fact {
        r#type: E::TYPE,
        alias: E::ALIAS,
        version: E::VERSION,
        data: event.to_data(),
    }
}

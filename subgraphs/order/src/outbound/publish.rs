//! Order's events in the published language.

use baedal_events::{
    DomainEvent,
    order::{OrderCancelRequested, OrderCancelled, OrderItem, OrderPaymentFailed, OrderPlaced},
};
use baedal_kit::envelope::{Envelope, Fact, Origin};
use baedal_kit::failpoint;

use crate::domain::{CouponId, Event, Line, Order, Recorded};

/// The envelopes of these events; their topic is `baedal_events::ORDER_TOPIC`.
pub fn envelopes(events: &[Recorded]) -> Vec<Envelope> {
    events.iter().map(envelope).collect()
}

fn envelope(recorded: &Recorded) -> Envelope {
    let origin = Origin {
        id: recorded.id,
        time: recorded.at,
        source: "order",
    };
    let mut envelope = Envelope::new(
        payload(recorded),
        origin,
        recorded.order.id.as_str(),
        recorded.sequence,
    );
    envelope.causation_id = recorded.cause.map(|id| id.to_string());
    envelope
}

fn payload(recorded: &Recorded) -> Fact {
    let order = &recorded.order;
    match recorded.event {
        Event::Placed => fact(&placed(order)),
        Event::PaymentFailed { code, void } => fact(&OrderPaymentFailed {
            order_id: text(order.id.as_str()),
            customer_id: text(order.customer.as_str()),
            store_id: text(order.store.as_str()),
            total: order.total.get(),
            reason: text(code),
            void_payment: void && !failpoint::sabotaged("void"),
            coupon_id: coupon(order),
        }),
        Event::CancelRequested { reason } => fact(&OrderCancelRequested {
            order_id: text(order.id.as_str()),
            customer_id: text(order.customer.as_str()),
            store_id: text(order.store.as_str()),
            reason: text(reason.name()),
        }),
        Event::Cancelled { reason } => fact(&OrderCancelled {
            order_id: text(order.id.as_str()),
            customer_id: text(order.customer.as_str()),
            store_id: text(order.store.as_str()),
            reason: text(reason.name()),
            total: order.total.get(),
            coupon_id: coupon(order),
        }),
    }
}

fn placed(order: &Order) -> OrderPlaced {
    OrderPlaced {
        order_id: text(order.id.as_str()),
        customer_id: text(order.customer.as_str()),
        store_id: text(order.store.as_str()),
        items: order.lines.iter().map(item).collect(),
        address: text(order.address.as_str()),
        total: order.total.get(),
        discount: order.discount.get(),
        coupon_id: coupon(order),
    }
}

fn item(line: &Line) -> OrderItem {
    OrderItem {
        menu_item_id: text(line.item.as_str()),
        name: line.name.clone(),
        quantity: line.quantity.get(),
        unit_price: line.unit_price.get(),
    }
}

fn coupon(order: &Order) -> Option<String> {
    order.coupon.as_ref().map(CouponId::as_str).map(text)
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn fact<E: DomainEvent>(event: &E) -> Fact {
    Fact {
        r#type: E::TYPE,
        alias: E::ALIAS,
        version: E::VERSION,
        data: event.to_data(),
    }
}

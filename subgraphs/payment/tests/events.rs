//! Events of order: read, digested once.

use std::sync::Arc;

use baedal_events::{
    DomainEvent,
    order::{OrderCancelled, OrderPaymentFailed},
};
use baedal_kit::{
    consumer::{HandleError, Handler},
    envelope::{Envelope, Fact, Origin},
};
use baedal_payment::{domain::Status, inbound::events::OrderEvents};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::support::{BEGIN, World, approve};

fn envelope<E: DomainEvent>(event: &E) -> Envelope {
    let fact = Fact {
        r#type: E::TYPE,
        alias: E::ALIAS,
        version: E::VERSION,
        data: event.to_data(),
    };
    Envelope::new(
        fact,
        Origin {
            id: Uuid::now_v7(),
            time: BEGIN,
            source: "order",
        },
        event.key(),
        1,
    )
}

#[tokio::test]
async fn a_failed_attempt_is_voided_when_it_asks_for_it_and_a_cancelled_order_refunded() {
    let world = World::new().await;
    for order in ["order-1", "order-2", "order-3"] {
        world.app.approve(approve(order), None).await.unwrap();
    }
    let failed = |order: &str, void_payment| {
        envelope(&OrderPaymentFailed {
            order_id: order.to_owned(),
            void_payment,
            ..OrderPaymentFailed::example()
        })
    };
    let cancelled = envelope(&OrderCancelled {
        order_id: "order-3".to_owned(),
        ..OrderCancelled::example()
    });
    let events = OrderEvents::new(world.app.clone(), Arc::new(Notify::new()));
    let batch = [failed("order-1", true), failed("order-2", false), cancelled];
    for _ in 0..2 {
        events.handle(&batch).await.unwrap();
    }
    assert_eq!(world.status("order-1").await, Status::VoidPending);
    assert_eq!(world.status("order-2").await, Status::Approved);
    assert_eq!(world.status("order-3").await, Status::RefundPending);
    world.app.settle().await.unwrap();
    let told = world.store.envelopes().await;
    assert_eq!(
        told.iter()
            .filter(|event| event.r#type == "PaymentRefunded")
            .count(),
        1
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_poison() {
    let world = World::new().await;
    let events = OrderEvents::new(world.app.clone(), Arc::new(Notify::new()));
    let mut broken = envelope(&OrderCancelled::example());
    broken.data = serde_json::json!({ "orderId": 7 });
    let nameless = envelope(&OrderCancelled {
        order_id: String::new(),
        ..OrderCancelled::example()
    });
    for event in [broken, nameless] {
        assert!(matches!(
            events.handle(&[event]).await,
            Err(HandleError::Poison(_))
        ));
    }
    assert_eq!(events.version_of("OrderPlaced"), None);
}

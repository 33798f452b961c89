//! Events of other contexts: read, digested once, in batches.

use std::time::{Duration, Instant};

use baedal_events::{DomainEvent, marketing, payment, store};
use baedal_kit::{
    consumer::{HandleError, Handler},
    envelope::{Envelope, Fact, Origin},
};
use baedal_order::{domain::*, inbound::events::Events, ports::Changes};
use uuid::Uuid;

use crate::support::{BEGIN, World, basket, pending, with_coupon};

crate::support::on_every_store!(
    every_event_of_the_published_language_that_order_knows_is_read,
    a_delivered_order_shows_its_whole_timeline,
    a_batch_delivered_twice_and_overlapping_changes_nothing,
    a_rejected_order_is_told_as_cancelled_once_with_its_cause,
    an_issued_coupon_can_be_used,
    what_cannot_be_read_is_poison_and_leaves_nothing_behind,
    six_thousand_events_of_a_thousand_orders_are_digested_in_time,
);

pub fn envelope<E: DomainEvent>(event: &E) -> Envelope {
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
            time: BEGIN + 5,
            source: "test",
        },
        event.key(),
        1,
    )
}

/// All that payment and the store tell of an order that goes well.
pub fn story(order: &str) -> Vec<Envelope> {
    let (order_id, store_id, customer_id) = (
        order.to_owned(),
        "store-seoul".to_owned(),
        "demo-customer".to_owned(),
    );
    let told = || (order_id.clone(), store_id.clone(), customer_id.clone());
    vec![
        envelope(&payment::PaymentApproved {
            order_id: order_id.clone(),
            customer_id: customer_id.clone(),
            amount: 18_000,
        }),
        {
            let (order_id, store_id, customer_id) = told();
            envelope(&store::OrderAccepted {
                order_id,
                store_id,
                customer_id,
                eta_minutes: 30,
            })
        },
        {
            let (order_id, store_id, customer_id) = told();
            envelope(&store::CookingStarted {
                order_id,
                store_id,
                customer_id,
            })
        },
        {
            let (order_id, store_id, customer_id) = told();
            envelope(&store::CookingFinished {
                order_id,
                store_id,
                customer_id,
            })
        },
        {
            let (order_id, store_id, customer_id) = told();
            envelope(&store::DeliveryStarted {
                order_id,
                store_id,
                customer_id,
            })
        },
        {
            let (order_id, store_id, customer_id) = told();
            envelope(&store::Delivered {
                order_id,
                store_id,
                customer_id,
                total: 18_000,
            })
        },
    ]
}

async fn every_event_of_the_published_language_that_order_knows_is_read(world: World) {
    let events = Events::new(world.app.clone());
    let known: Vec<_> = baedal_events::all()
        .into_iter()
        .filter(|entry| events.version_of(entry.r#type).is_some())
        .collect();
    assert_eq!(known.len(), 17);
    for entry in known {
        let fact = Fact {
            r#type: entry.r#type,
            alias: entry.alias,
            version: entry.version,
            data: entry.example,
        };
        let event = Envelope::new(
            fact,
            Origin {
                id: Uuid::now_v7(),
                time: BEGIN,
                source: "test",
            },
            "order-1",
            1,
        );
        events
            .handle(&[event])
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", entry.r#type));
    }
}

async fn a_delivered_order_shows_its_whole_timeline(world: World) {
    let order = world.app.place(basket("k1")).await.unwrap();
    let events = Events::new(world.app.clone());
    events.handle(&story(order.id.as_str())).await.unwrap();
    let order = world.find(&order.id).await;
    assert_eq!(order.state.status(), Status::Delivered);
    assert_eq!(
        (order.unified().payment, order.unified().ticket),
        (Some("APPROVED"), Some("DELIVERED"))
    );
    assert_eq!(
        (order.timeline.len(), order.eta_minutes, order.parked.len()),
        (7, Some(30), 0)
    );
}

async fn a_batch_delivered_twice_and_overlapping_changes_nothing(world: World) {
    let order = world.app.place(basket("k1")).await.unwrap();
    let events = Events::new(world.app.clone());
    let story = story(order.id.as_str());
    events.handle(&story[..3]).await.unwrap();
    events.handle(&story).await.unwrap();
    let first = world.find(&order.id).await;
    events.handle(&story).await.unwrap();
    let twice: Vec<Envelope> = story.iter().chain(&story).cloned().collect();
    events.handle(&twice).await.unwrap();
    assert_eq!(world.find(&order.id).await, first);
}

async fn a_rejected_order_is_told_as_cancelled_once_with_its_cause(world: World) {
    let order = world.app.place(basket("k1")).await.unwrap();
    let rejected = envelope(&store::OrderRejected {
        order_id: order.id.as_str().to_owned(),
        store_id: "store-seoul".to_owned(),
        customer_id: "demo-customer".to_owned(),
        reason: "재료 소진".to_owned(),
    });
    let events = Events::new(world.app.clone());
    for _ in 0..2 {
        events.handle(std::slice::from_ref(&rejected)).await.unwrap();
    }
    let told = world.store.envelopes().await;
    assert_eq!(
        told.iter().map(|event| event.r#type.as_str()).collect::<Vec<_>>(),
        ["OrderPlaced", "OrderCancelled"]
    );
    assert_eq!(
        (&told[1].causation_id, told[1].sequence),
        (&Some(rejected.id.to_string()), 2)
    );
    assert_eq!(
        (&told[1].data["total"], &told[1].data["reason"]),
        (&18_000.into(), &"STORE_REJECTED".into())
    );
}

async fn an_issued_coupon_can_be_used(world: World) {
    let issued = marketing::CouponIssued {
        coupon_id: "c9".to_owned(),
        ..marketing::CouponIssued::example()
    };
    let issued = marketing::CouponIssued {
        expires_at: "2100-01-01T00:00:00Z".to_owned(),
        ..issued
    };
    Events::new(world.app.clone())
        .handle(&[envelope(&issued)])
        .await
        .unwrap();
    assert_eq!(
        world
            .app
            .place(with_coupon("k1", "c9"))
            .await
            .unwrap()
            .discount
            .get(),
        1_000
    );
}

async fn what_cannot_be_read_is_poison_and_leaves_nothing_behind(world: World) {
    let order = world.app.place(basket("k1")).await.unwrap();
    let mut broken = envelope(&store::OrderAccepted {
        order_id: order.id.as_str().to_owned(),
        ..store::OrderAccepted::example()
    });
    broken.data = serde_json::json!({ "etaMinutes": "soon" });
    let events = Events::new(world.app.clone());
    let batch = [story(order.id.as_str()).remove(1), broken];
    assert!(matches!(events.handle(&batch).await, Err(HandleError::Poison(_))));
    assert_eq!(world.find(&order.id).await.state.status(), Status::Placed);
}

async fn six_thousand_events_of_a_thousand_orders_are_digested_in_time(world: World) {
    let orders: Vec<Order> = (0..1_000)
        .map(|n| {
            pending(&format!("o{n}"), &format!("k{n}"))
                .place(BEGIN)
                .unwrap()
                .0
        })
        .collect();
    world
        .store
        .orders
        .commit(Changes {
            orders,
            ..Changes::default()
        })
        .await
        .unwrap();
    let stories: Vec<Vec<Envelope>> = (0..1_000).map(|n| story(&format!("o{n}"))).collect();
    // As a store that comes back tells it: step by step over all orders, the worst case for a batch.
    let told: Vec<Envelope> = (0..6)
        .flat_map(|step| stories.iter().map(move |story| story[step].clone()))
        .collect();
    let events = Events::new(world.app.clone());
    let began = Instant::now();
    for batch in told.chunks(200) {
        events.handle(batch).await.unwrap();
    }
    let took = began.elapsed();
    eprintln!("6 000 events of 1 000 orders: {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let ids: Vec<OrderId> = (0..1_000)
        .map(|n| OrderId::parse(&format!("o{n}")).unwrap())
        .collect();
    let found = world.store.orders.find_many(&ids).await.unwrap();
    assert!(
        found
            .iter()
            .all(|order| order.state.status() == Status::Delivered)
    );
}

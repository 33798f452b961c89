//! The commands, on every store, with a payment that does as it is told.

use std::{sync::atomic::Ordering, time::Duration};

use baedal_order::{
    app::{Actor, AppError},
    domain::*,
    ports::{Approval, Changes},
};

use crate::support::{World, basket, customer, pending, unavailable, with_coupon};

crate::support::on_every_store!(
    a_paid_order_is_placed_and_told,
    a_declined_order_fails_without_a_void,
    an_order_without_an_answer_fails_with_a_void,
    the_same_key_gives_the_same_order_and_charges_once,
    the_same_key_at_the_same_time_charges_once,
    a_repeated_failure_is_the_same_failure,
    what_cannot_be_ordered_leaves_no_trace,
    a_coupon_serves_one_active_order_and_is_free_again_after_a_failure,
    a_coupon_raced_for_is_had_by_one,
    someone_elses_coupon_and_someone_elses_order_are_not_there,
    a_cancelled_order_goes_through_the_store_and_the_refund,
    an_attempt_cut_off_by_a_crash_is_failed_and_voided_once_it_is_overdue,
    when_the_sweep_and_a_late_answer_meet_the_first_stands,
    an_order_not_accepted_in_time_is_asked_back,
    two_sweeps_at_once_move_each_order_once,
);

fn failure(error: AppError) -> (OrderId, Failure) {
    match error {
        AppError::NotPaid { order, failure, .. } => (order, failure),
        other => panic!("{other:?}"),
    }
}

async fn a_paid_order_is_placed_and_told(world: World) {
    let order = world.app.place(basket("k1")).await.unwrap();
    assert_eq!(
        (order.state.status(), order.total.get()),
        (Status::Placed, 18_000)
    );
    assert_eq!(world.find(&order.id).await, order);
    let told = world.store.envelopes().await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].r#type.as_str(), told[0].correlation_id.as_str()),
        ("OrderPlaced", order.id.as_str())
    );
    assert_eq!(told[0].data["total"], 18_000);
}

async fn a_declined_order_fails_without_a_void(world: World) {
    world.payment.say(Approval::Declined {
        reason: "LIMIT_EXCEEDED".to_owned(),
    });
    let (id, failed) = failure(world.app.place(basket("k1")).await.unwrap_err());
    assert_eq!(failed.code(), "PAYMENT_DECLINED");
    assert_eq!(world.find(&id).await.state.status(), Status::PaymentFailed);
    let told = world.store.envelopes().await;
    assert_eq!(
        (told[0].r#type.as_str(), &told[0].data["voidPayment"]),
        ("OrderPaymentFailed", &false.into())
    );
}

async fn an_order_without_an_answer_fails_with_a_void(world: World) {
    world.payment.say(unavailable());
    let (id, failed) = failure(world.app.place(basket("k1")).await.unwrap_err());
    assert_eq!(failed.code(), "PAYMENT_UNAVAILABLE");
    assert_eq!(world.find(&id).await.state.status(), Status::PaymentFailed);
    let told = world.store.envelopes().await;
    assert_eq!(
        (told[0].r#type.as_str(), &told[0].data["voidPayment"]),
        ("OrderPaymentFailed", &true.into())
    );
}

async fn the_same_key_gives_the_same_order_and_charges_once(world: World) {
    let first = world.app.place(basket("k1")).await.unwrap();
    assert_eq!(world.app.place(basket("k1")).await.unwrap(), first);
    assert_eq!(world.payment.calls.load(Ordering::SeqCst), 1);
    let other = Basket {
        address: Address::parse("부산").unwrap(),
        ..basket("k1")
    };
    assert!(matches!(
        world.app.place(other).await,
        Err(AppError::OtherContents)
    ));
    let someone_else = Basket {
        customer: CustomerId::parse("demo-customer-2").unwrap(),
        ..basket("k1")
    };
    assert_ne!(world.app.place(someone_else).await.unwrap().id, first.id);
}

async fn the_same_key_at_the_same_time_charges_once(world: World) {
    *world.payment.takes.lock().unwrap() = Duration::from_millis(100);
    let attempts = (0..8).map(|_| {
        let app = world.app.clone();
        tokio::spawn(async move { app.place(basket("k1")).await.unwrap().id })
    });
    let mut ids = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        ids.push(attempt.await.unwrap());
    }
    ids.dedup();
    assert_eq!((ids.len(), world.payment.calls.load(Ordering::SeqCst)), (1, 1));
}

async fn a_repeated_failure_is_the_same_failure(world: World) {
    world.payment.say(unavailable());
    let first = failure(world.app.place(basket("k1")).await.unwrap_err());
    assert_eq!(failure(world.app.place(basket("k1")).await.unwrap_err()), first);
    assert_eq!(world.payment.calls.load(Ordering::SeqCst), 1);
}

async fn what_cannot_be_ordered_leaves_no_trace(world: World) {
    let item = |id: &str| vec![(MenuItemId::parse(id).unwrap(), Quantity::parse(1).unwrap())];
    for items in [item("cola"), item("sushi")] {
        let wanted = Basket {
            items,
            ..basket("k1")
        };
        assert!(matches!(world.app.place(wanted).await, Err(AppError::Refused(_))));
    }
    assert!(
        world
            .store
            .orders
            .by_key(&customer(), &basket("k1").key)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(world.payment.calls.load(Ordering::SeqCst), 0);
}

async fn a_coupon_serves_one_active_order_and_is_free_again_after_a_failure(world: World) {
    world.issue_coupon("c1", "demo-customer", 1_000).await;
    world.payment.say(unavailable());
    failure(world.app.place(with_coupon("k1", "c1")).await.unwrap_err());
    let order = world.app.place(with_coupon("k2", "c1")).await.unwrap();
    assert_eq!((order.discount.get(), order.total.get()), (1_000, 17_000));
    let again = world.app.place(with_coupon("k3", "c1")).await;
    assert!(matches!(
        again,
        Err(AppError::Refused(Refusal::CouponUnusable(_)))
    ));
    world
        .hear(
            &order.id,
            &[
                News::Rejected {
                    reason: "재료 소진".to_owned(),
                },
                News::PaymentRefunded,
            ],
        )
        .await;
    assert!(world.app.place(with_coupon("k4", "c1")).await.is_ok());
}

async fn a_coupon_raced_for_is_had_by_one(world: World) {
    world.issue_coupon("c1", "demo-customer", 1_000).await;
    *world.payment.takes.lock().unwrap() = Duration::from_millis(50);
    let attempts: Vec<_> = (0..6)
        .map(|attempt| {
            let app = world.app.clone();
            tokio::spawn(async move { app.place(with_coupon(&format!("k{attempt}"), "c1")).await.is_ok() })
        })
        .collect();
    let mut had = 0;
    for attempt in attempts {
        had += usize::from(attempt.await.unwrap());
    }
    assert_eq!(had, 1);
}

async fn someone_elses_coupon_and_someone_elses_order_are_not_there(world: World) {
    world.issue_coupon("c1", "demo-customer-2", 1_000).await;
    assert!(matches!(
        world.app.place(with_coupon("k1", "c1")).await,
        Err(AppError::Refused(Refusal::CouponUnusable(_)))
    ));
    let order = world.app.place(basket("k2")).await.unwrap();
    let stranger = Actor::Customer(CustomerId::parse("demo-customer-2").unwrap());
    assert!(matches!(
        world.app.cancel(&stranger, &order.id).await,
        Err(AppError::NotFound(_))
    ));
    assert!(world.app.cancel(&Actor::Operator, &order.id).await.is_ok());
}

async fn a_cancelled_order_goes_through_the_store_and_the_refund(world: World) {
    let order = world.app.place(basket("k1")).await.unwrap();
    let me = Actor::Customer(customer());
    world.app.cancel(&me, &order.id).await.unwrap();
    assert!(matches!(
        world.app.cancel(&me, &order.id).await,
        Err(AppError::InvalidTransition(_))
    ));
    world.hear(&order.id, &[News::CancelAccepted]).await;
    world.hear(&order.id, &[News::PaymentRefunded]).await;
    assert_eq!(world.find(&order.id).await.state.status(), Status::Cancelled);
    assert_eq!(
        world.store.told().await,
        ["OrderPlaced", "OrderCancelRequested", "OrderCancelled"]
    );
}

async fn an_attempt_cut_off_by_a_crash_is_failed_and_voided_once_it_is_overdue(world: World) {
    // The process died between the first commit and payment's answer: this is all it left.
    let changes = Changes {
        orders: vec![pending("o1", "k1")],
        ..Changes::default()
    };
    world.store.orders.commit(changes).await.unwrap();
    let meanwhile = world.app.place(basket("k1")).await.unwrap_err();
    assert!(
        matches!(meanwhile, AppError::StillPaying { .. }),
        "it may yet be paid: {meanwhile:?}"
    );
    world.clock.move_on(Duration::from_millis(2_999));
    assert_eq!(world.app.sweep().await.unwrap(), 0);
    world.clock.move_on(Duration::from_millis(2));
    assert_eq!(world.app.sweep().await.unwrap(), 1);
    assert_eq!(world.app.sweep().await.unwrap(), 0);
    let told = world.store.envelopes().await;
    assert_eq!((told.len(), &told[0].data["voidPayment"]), (1, &true.into()));
    let (id, _) = failure(world.app.place(basket("k1")).await.unwrap_err());
    assert_eq!(id.as_str(), "o1");
}

#[tokio::test]
async fn an_attempt_dropped_at_any_point_is_repaired() {
    for cut in [0, 1, 2, 5, 10, 20, 40, 80] {
        let world = World::new().await;
        *world.payment.takes.lock().unwrap() = Duration::from_millis(15);
        let attempt = tokio::time::timeout(Duration::from_millis(cut), world.app.place(basket("k1"))).await;
        // A commit that was under way when its task was dropped may still land: the next sweep finds it.
        for _ in 0..5 {
            world.clock.move_on(Duration::from_secs(4));
            world.app.sweep().await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let left = world
            .store
            .orders
            .by_key(&customer(), &basket("k1").key)
            .await
            .unwrap();
        let told = world.store.told().await;
        match left.map(|order| order.state.status()) {
            None => assert_eq!((told.len(), attempt.is_err()), (0, true), "cut {cut}"),
            Some(Status::Placed) => assert_eq!(told, ["OrderPlaced"], "cut {cut}"),
            Some(Status::PaymentFailed) => assert_eq!(
                (told, attempt.is_err()),
                (vec!["OrderPaymentFailed".to_owned()], true),
                "cut {cut}"
            ),
            other => panic!("cut {cut} left {other:?}"),
        }
    }
}

async fn when_the_sweep_and_a_late_answer_meet_the_first_stands(world: World) {
    *world.payment.takes.lock().unwrap() = Duration::from_millis(200);
    let app = world.app.clone();
    let attempt = tokio::spawn(async move { app.place(basket("k1")).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.clock.move_on(Duration::from_secs(4));
    assert_eq!(world.app.sweep().await.unwrap(), 1);
    let (_, failed) = failure(attempt.await.unwrap().unwrap_err());
    assert_eq!(failed.code(), "PAYMENT_UNAVAILABLE");
    assert_eq!(world.store.told().await, ["OrderPaymentFailed"]);
}

async fn an_order_not_accepted_in_time_is_asked_back(world: World) {
    let order = world.app.place(basket("k1")).await.unwrap();
    world.clock.move_on(Duration::from_secs(601));
    assert_eq!(world.app.sweep().await.unwrap(), 1);
    let state = world.find(&order.id).await.state;
    assert!(
        matches!(
            state,
            State::CancelRequested {
                reason: CancelReason::NotAcceptedInTime,
                ..
            }
        ),
        "{state:?}"
    );
}

async fn two_sweeps_at_once_move_each_order_once(world: World) {
    for n in 0..20 {
        let changes = Changes {
            orders: vec![pending(&format!("o{n}"), &format!("k{n}"))],
            ..Changes::default()
        };
        world.store.orders.commit(changes).await.unwrap();
    }
    world.clock.move_on(Duration::from_secs(4));
    let (one, two) = tokio::join!(world.app.sweep(), world.app.sweep());
    assert_eq!(
        (one.unwrap() + two.unwrap(), world.store.told().await.len()),
        (20, 20)
    );
}

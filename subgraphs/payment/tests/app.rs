//! The commands, on SQLite with a provider that does as it is told.

use std::{sync::atomic::Ordering, time::Duration};

use baedal_payment::{
    app::{AppError, Command, Incoming, terms},
    domain::*,
    ports::Changes,
};
use uuid::Uuid;

use crate::support::{Mood, World, approve, id, requested};

const SOON: Option<Duration> = Some(Duration::from_millis(100));

fn void(order: &str) -> Command {
    Command::Void {
        order: id(order),
        customer: Some(CustomerId::parse("demo-customer").unwrap()),
        reason: "PAYMENT_UNAVAILABLE".to_owned(),
    }
}

fn refund(order: &str) -> Command {
    Command::Refund {
        order: id(order),
        reason: "STORE_REJECTED".to_owned(),
    }
}

fn event(command: Command) -> Incoming {
    Incoming {
        event: Uuid::now_v7(),
        command: Some(command),
    }
}

#[tokio::test]
async fn an_approved_payment_is_told_and_repeated_without_charging() {
    let world = World::new().await;
    let first = world.app.approve(approve("o1"), None).await.unwrap();
    let second = world.app.approve(approve("o1"), None).await.unwrap();
    assert_eq!(
        (first.state.status(), &first.state),
        (Status::Approved, &second.state)
    );
    assert_eq!(world.provider.charges.load(Ordering::SeqCst), 1);
    assert_eq!(world.store.told().await, ["PaymentApproved"]);
}

#[tokio::test]
async fn approves_at_the_same_time_charge_once() {
    let world = World::new().await;
    *world.provider.takes.lock().unwrap() = Duration::from_millis(60);
    let attempts: Vec<_> = (0..8)
        .map(|_| {
            let app = world.app.clone();
            tokio::spawn(async move { app.approve(approve("o1"), None).await.unwrap().state.status() })
        })
        .collect();
    for attempt in attempts {
        assert_eq!(attempt.await.unwrap(), Status::Approved);
    }
    assert_eq!(world.provider.charges.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn other_terms_for_the_same_order_are_refused() {
    let world = World::new().await;
    world.app.approve(approve("o1"), None).await.unwrap();
    for (customer, amount) in [("demo-customer", 1), ("someone", 18_000)] {
        let answer = world
            .app
            .approve(terms("o1", customer, amount).unwrap(), None)
            .await;
        assert!(matches!(answer, Err(AppError::OtherTerms(_))));
    }
}

#[tokio::test]
async fn a_declined_payment_stays_declined() {
    let world = World::new().await;
    world.provider.be(Mood::Declines);
    assert_eq!(
        world
            .app
            .approve(approve("o1"), None)
            .await
            .unwrap()
            .state
            .status(),
        Status::Declined
    );
    world.provider.be(Mood::Charges);
    assert_eq!(
        world
            .app
            .approve(approve("o1"), None)
            .await
            .unwrap()
            .state
            .status(),
        Status::Declined
    );
    assert!(matches!(
        world.app.void(&id("o1"), "late".to_owned()).await,
        Err(AppError::InvalidTransition(_))
    ));
    assert_eq!(world.store.told().await, ["PaymentDeclined"]);
}

#[tokio::test]
async fn a_charge_nobody_heard_of_is_found_out_by_the_sweep() {
    let world = World::new().await;
    world.provider.be(Mood::ChargesUnheard);
    assert_eq!(
        world
            .app
            .approve(approve("o1"), SOON)
            .await
            .unwrap()
            .state
            .status(),
        Status::Unknown
    );
    world.provider.be(Mood::Charges);
    assert_eq!(
        world.app.settle().await.unwrap().moved,
        0,
        "its approve may still be running"
    );
    world.clock.move_on(Duration::from_secs(3));
    assert_eq!(world.app.settle().await.unwrap().moved, 1);
    assert_eq!(world.status("o1").await, Status::Approved);
}

#[tokio::test]
async fn a_clock_that_was_an_hour_ahead_keeps_no_payment_open_for_an_hour() {
    let world = World::new().await;
    world.provider.be(Mood::ChargesUnheard);
    world.clock.move_on(Duration::from_secs(3_600));
    world.app.approve(approve("unknown"), SOON).await.unwrap();
    world.provider.be(Mood::Charges);
    world.app.approve(approve("void"), SOON).await.unwrap();
    let order = OrderId::parse("void").unwrap();
    world.app.void(&order, "given up".to_owned()).await.unwrap();
    world.clock.move_back(Duration::from_secs(3_600));
    for _ in 0..2 {
        world.app.settle().await.unwrap();
    }
    assert_eq!(world.status("unknown").await, Status::Approved);
    assert_eq!(world.status("void").await, Status::Voided);
}

#[tokio::test]
async fn a_charge_that_never_came_about_is_voided_by_the_sweep() {
    let world = World::new().await;
    world.provider.be(Mood::Gone);
    assert_eq!(
        world
            .app
            .approve(approve("o1"), SOON)
            .await
            .unwrap()
            .state
            .status(),
        Status::Unknown
    );
    world.clock.move_on(Duration::from_secs(3));
    assert_eq!(
        world.app.settle().await.unwrap().waiting,
        1,
        "the provider is still gone"
    );
    world.provider.be(Mood::Charges);
    world.app.settle().await.unwrap();
    assert_eq!(
        (world.status("o1").await, world.store.told().await),
        (Status::Voided, vec!["PaymentVoided".to_owned()])
    );
}

#[tokio::test]
async fn the_callers_deadline_is_kept() {
    let world = World::new().await;
    world.provider.be(Mood::Dawdles);
    let began = std::time::Instant::now();
    let answer = world
        .app
        .approve(approve("o1"), Some(Duration::from_millis(50)))
        .await
        .unwrap();
    assert_eq!(answer.state.status(), Status::Unknown);
    assert!(
        began.elapsed() < Duration::from_millis(190),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn an_approve_cut_off_by_a_crash_is_settled() {
    let world = World::new().await;
    // The process died after the first commit: this is all it left.
    let changes = Changes {
        payments: vec![requested("o1")],
        ..Changes::default()
    };
    world.store.payments.commit(changes).await.unwrap();
    world.clock.move_on(Duration::from_secs(3));
    for _ in 0..2 {
        world.app.settle().await.unwrap();
        world.clock.move_on(Duration::from_secs(3));
    }
    assert_eq!(world.status("o1").await, Status::Voided);
    assert_eq!(
        world
            .app
            .approve(approve("o1"), None)
            .await
            .unwrap()
            .state
            .status(),
        Status::Voided
    );
    assert_eq!(world.provider.charges.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_approve_dropped_at_any_point_is_settled_within_ten_seconds() {
    for cut in [0, 1, 2, 5, 10, 20, 40] {
        let world = World::new().await;
        *world.provider.takes.lock().unwrap() = Duration::from_millis(8);
        let cut = Duration::from_millis(cut);
        let attempt = tokio::time::timeout(cut, world.app.approve(approve("o1"), None)).await;
        for _ in 0..4 {
            // A commit that was under way when its task was dropped may still land.
            tokio::time::sleep(Duration::from_millis(20)).await;
            world.clock.move_on(Duration::from_millis(2_500));
            world.app.settle().await.unwrap();
        }
        let found = world
            .store
            .payments
            .find(&id("o1"))
            .await
            .unwrap()
            .map(|payment| payment.state.status());
        match found {
            None => assert!(attempt.is_err()),
            Some(Status::Approved) => assert!(world.provider.holds(&id("o1"))),
            Some(Status::Voided) => assert!(attempt.is_err() && !world.provider.holds(&id("o1"))),
            other => panic!("cut at {cut:?} left {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_void_before_the_approve_refuses_it() {
    let world = World::new().await;
    world.app.digest(&[event(void("o1"))]).await.unwrap();
    let late = world.app.approve(approve("o1"), None).await.unwrap();
    assert_eq!(
        (late.state.status(), late.customer.unwrap().as_str()),
        (Status::Voided, "demo-customer")
    );
    assert_eq!(world.provider.charges.load(Ordering::SeqCst), 0);
    assert_eq!(world.store.told().await, ["PaymentVoided"]);
}

#[tokio::test]
async fn a_void_while_the_charge_is_under_way_wins() {
    let world = World::new().await;
    *world.provider.takes.lock().unwrap() = Duration::from_millis(80);
    let app = world.app.clone();
    let attempt = tokio::spawn(async move { app.approve(approve("o1"), None).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(30)).await;
    world.app.void(&id("o1"), "given up".to_owned()).await.unwrap();
    assert_eq!(attempt.await.unwrap().state.status(), Status::VoidPending);
    assert!(
        world.provider.holds(&id("o1")),
        "the provider has charged meanwhile"
    );
    world.app.settle().await.unwrap();
    assert_eq!(
        (world.status("o1").await, world.provider.holds(&id("o1"))),
        (Status::Voided, false)
    );
    assert_eq!(world.store.told().await, ["PaymentVoided"]);
}

#[tokio::test]
async fn an_approved_payment_whose_order_gave_up_is_taken_back() {
    let world = World::new().await;
    world.app.approve(approve("o1"), None).await.unwrap();
    world.app.digest(&[event(void("o1"))]).await.unwrap();
    world.app.settle().await.unwrap();
    assert_eq!(
        (world.status("o1").await, world.provider.holds(&id("o1"))),
        (Status::Voided, false)
    );
    assert_eq!(world.store.told().await, ["PaymentApproved", "PaymentVoided"]);
}

#[tokio::test]
async fn a_cancelled_order_is_refunded_exactly_once() {
    let world = World::new().await;
    world.app.approve(approve("o1"), None).await.unwrap();
    let cancelled = event(refund("o1"));
    for batch in [
        vec![cancelled.clone()],
        vec![cancelled.clone(), cancelled.clone()],
        vec![event(refund("o1"))],
    ] {
        world.app.digest(&batch).await.unwrap();
        world.app.settle().await.unwrap();
    }
    world.app.refund(&id("o1"), "again".to_owned()).await.unwrap();
    world.app.settle().await.unwrap();
    assert_eq!(
        (
            world.status("o1").await,
            world.provider.refunds.load(Ordering::SeqCst)
        ),
        (Status::Refunded, 1)
    );
    let told = world.store.envelopes().await;
    assert_eq!(told.len(), 2);
    assert_eq!(
        (
            told[1].r#type.as_str(),
            &told[1].data["amount"],
            &told[1].data["reason"]
        ),
        ("PaymentRefunded", &18_000.into(), &"STORE_REJECTED".into())
    );
}

#[tokio::test]
async fn a_refund_waits_for_a_provider_that_is_gone() {
    let world = World::new().await;
    world.app.approve(approve("o1"), None).await.unwrap();
    world.app.digest(&[event(refund("o1"))]).await.unwrap();
    world.provider.be(Mood::Gone);
    assert_eq!(world.app.settle().await.unwrap().waiting, 1);
    assert_eq!(world.status("o1").await, Status::RefundPending);
    world.provider.be(Mood::Charges);
    world.app.settle().await.unwrap();
    assert_eq!(world.status("o1").await, Status::Refunded);
}

#[tokio::test]
async fn a_refund_of_what_was_never_paid_has_no_effect_and_stops_nobody() {
    let world = World::new().await;
    world.app.approve(approve("o2"), None).await.unwrap();
    assert_eq!(
        world
            .app
            .digest(&[event(refund("o1")), event(refund("o2"))])
            .await
            .unwrap(),
        2
    );
    assert_eq!(world.status("o2").await, Status::RefundPending);
    assert!(matches!(
        world.app.refund(&id("o1"), "why".to_owned()).await,
        Err(AppError::NotFound(_))
    ));
}

#[tokio::test]
async fn two_settling_at_once_refund_once() {
    let world = World::new().await;
    for n in 0..10 {
        world.app.approve(approve(&format!("o{n}")), None).await.unwrap();
        world
            .app
            .digest(&[event(refund(&format!("o{n}")))])
            .await
            .unwrap();
    }
    let (one, two) = tokio::join!(world.app.settle(), world.app.settle());
    assert_eq!(one.unwrap().moved + two.unwrap().moved, 10);
    assert_eq!(world.provider.refunds.load(Ordering::SeqCst), 10);
    let refunded = world
        .store
        .told()
        .await
        .into_iter()
        .filter(|event| event == "PaymentRefunded")
        .count();
    assert_eq!(refunded, 10);
}

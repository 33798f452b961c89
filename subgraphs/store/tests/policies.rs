//! Policies over a real store: duplicates, early and late events, and what the inbox is there for.

use crate::support::{OWNER, Place, asked, events_of, ordered, paid, placed, status, told};
use baedal_store::app::AppError;
use baedal_store::domain::{Refused, Status};
use baedal_store::policies::Fact;
use uuid::Uuid;

#[tokio::test]
async fn a_ticket_needs_both_and_comes_once_whatever_the_order_and_however_often() {
    let place = Place::sqlite();
    let (store, app) = place.opened().await;
    let (mut both, mut reversed) = (ordered("o-1"), ordered("o-2"));
    app.take_in(&both[..1]).await.expect("taken in");
    assert_eq!(status(&store, "o-1").await, Some(Status::Parked));
    both.extend(both.clone());
    app.take_in(&both).await.expect("taken in");
    reversed.reverse();
    for one in &reversed {
        app.take_in(std::slice::from_ref(one)).await.expect("taken in");
        app.take_in(std::slice::from_ref(one))
            .await
            .expect("taken in twice");
    }
    for id in ["o-1", "o-2"] {
        assert_eq!(status(&store, id).await, Some(Status::Received));
        assert!(events_of(&store, id).await.is_empty());
    }
}

#[tokio::test]
async fn the_commands_lead_to_delivery_with_one_event_each() {
    let place = Place::sqlite();
    let (store, app) = place.opened().await;
    app.take_in(&ordered("o")).await.expect("taken in");
    app.accept_order(OWNER, "o", 25).await.expect("accepted");
    let refused = app.accept_order(OWNER, "o", 25).await.expect_err("twice");
    assert!(
        matches!(refused, AppError::Refused(Refused::InvalidTransition { .. })),
        "{refused:?}"
    );
    app.start_cooking(OWNER, "o").await.expect("cooking");
    app.take_in(&[told("o", Fact::OrderCancelRequested(asked()))])
        .await
        .expect("taken in");
    app.finish_cooking(OWNER, "o").await.expect("cooked");
    app.start_delivery(OWNER, "o").await.expect("delivering");
    let filed = app.complete_delivery(OWNER, "o").await.expect("delivered");
    assert_eq!(filed.order.status(), Status::Delivered);
    let told = events_of(&store, "o").await;
    let expected = [
        "OrderAccepted",
        "CookingStarted",
        "StoreCancelRefused",
        "CookingFinished",
        "DeliveryStarted",
        "Delivered",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn cancelled_before_it_was_received_it_never_becomes_a_ticket() {
    let place = Place::sqlite();
    let (store, app) = place.opened().await;
    for (id, fact, tells) in [
        (
            "requested",
            Fact::OrderCancelRequested(asked()),
            vec!["StoreCancelAccepted"],
        ),
        ("cancelled", Fact::OrderCancelled, vec![]),
        ("voided", Fact::PaymentVoided, vec![]),
    ] {
        app.take_in(&[told(id, fact)]).await.expect("taken in");
        app.take_in(&ordered(id)).await.expect("taken in");
        assert_eq!(status(&store, id).await, Some(Status::Cancelled), "{id}");
        assert_eq!(events_of(&store, id).await, tells, "{id}");
        let hidden = app.accept_order(OWNER, id, 20).await.expect_err("no ticket");
        assert!(matches!(hidden, AppError::NotFound("order")), "{hidden:?}");
    }
    let tickets = async || {
        let rows = sqlx::query("SELECT order_id, status FROM tickets")
            .fetch_all(store.db().pool())
            .await;
        rows.expect("the view").len()
    };
    assert_eq!(tickets().await, 0, "the database has no ticket either");
    app.take_in(&ordered("o")).await.expect("taken in");
    assert_eq!(tickets().await, 1);
}

#[tokio::test]
async fn another_owner_gets_the_same_answer_as_for_nothing() {
    let place = Place::sqlite();
    let (store, app) = place.opened().await;
    app.take_in(&ordered("o")).await.expect("taken in");
    app.take_in(&[told("parked", Fact::OrderPlaced(placed(1)))])
        .await
        .expect("taken in");
    for (owner, id) in [("owner-2", "o"), (OWNER, "nothing"), (OWNER, "parked")] {
        let error = app
            .accept_order(owner, id, 20)
            .await
            .expect_err("refused")
            .to_string();
        assert_eq!(error, "there is no such order", "{owner} {id}");
    }
    assert_eq!(status(&store, "o").await, Some(Status::Received));
    let error = app
        .close_store("owner-2", crate::support::STORE)
        .await
        .expect_err("refused")
        .to_string();
    assert_eq!(
        error,
        app.close_store("owner-2", "nothing")
            .await
            .expect_err("refused")
            .to_string()
    );
}

/// The same event under the same id has one effect; as if the inbox had forgotten it (a fresh id), it has two. So it is
/// the inbox that keeps the answer to a cancellation from going out twice.
#[tokio::test]
async fn without_the_inbox_an_answer_would_go_out_twice() {
    let place = Place::sqlite();
    let (store, app) = place.opened().await;
    app.take_in(&ordered("o")).await.expect("taken in");
    app.accept_order(OWNER, "o", 25).await.expect("accepted");
    app.start_cooking(OWNER, "o").await.expect("cooking");
    let mut request = told("o", Fact::OrderCancelRequested(asked()));
    let refusals = async || {
        events_of(&store, "o")
            .await
            .iter()
            .filter(|one| *one == "StoreCancelRefused")
            .count()
    };
    for _ in 0..3 {
        app.take_in(std::slice::from_ref(&request))
            .await
            .expect("taken in");
    }
    assert_eq!(refusals().await, 1);
    request.id = Uuid::now_v7();
    app.take_in(&[request]).await.expect("taken in");
    assert_eq!(refusals().await, 2, "sabotaged");
}

#[tokio::test]
async fn a_batch_mixes_new_and_handled_events_of_many_orders() {
    let place = Place::sqlite();
    let (store, app) = place.opened().await;
    let first: Vec<_> = (0..40).flat_map(|n| ordered(&format!("o-{n}"))).collect();
    app.take_in(&first).await.expect("taken in");
    let mut mixed = first.clone();
    mixed.extend((40..80).map(|n| told(&format!("o-{n}"), Fact::PaymentApproved(paid()))));
    mixed.extend((0..80).map(|n| told(&format!("o-{n}"), Fact::OrderPlaced(placed(1)))));
    app.take_in(&mixed).await.expect("taken in");
    for n in 0..80 {
        assert_eq!(
            status(&store, &format!("o-{n}")).await,
            Some(Status::Received),
            "{n}"
        );
    }
}

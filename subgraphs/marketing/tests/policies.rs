//! Policies over a real store: once per order, whatever is repeated, late or early.

use crate::support::{CUSTOMER, Place, START, delivered, told, using};
use baedal_marketing::domain::{CouponState, Rules};
use baedal_marketing::policies::Fact;
use uuid::Uuid;

#[tokio::test]
async fn a_delivery_brings_points_a_coupon_and_a_feed_item_once() {
    let place = Place::sqlite();
    let replica = place.replica().await;
    let event = told("o", delivered(CUSTOMER));
    for _ in 0..3 {
        replica.take_in(&[event.clone(), event.clone()]).await;
    }
    assert_eq!(replica.balance(CUSTOMER).await, 900);
    assert_eq!(replica.coupon("coupon-o").await, Some(CouponState::Issued));
    assert_eq!(replica.feed(CUSTOMER).await, [1]);
    let types: Vec<_> = replica.told().await.into_iter().map(|one| one.r#type).collect();
    assert_eq!(types, ["CouponIssued", "PointsEarned"]);
}

/// Sabotage: were the inbox to forget (the same event under a fresh id), the order's own record still lets it have one
/// effect. Both nets hold by themselves; that the inbox does, the port suite shows.
#[tokio::test]
async fn even_without_the_inbox_a_delivery_counts_once() {
    let place = Place::sqlite();
    let replica = place.replica().await;
    let mut event = told("o", delivered(CUSTOMER));
    for _ in 0..3 {
        event.id = Uuid::now_v7();
        replica.take_in(std::slice::from_ref(&event)).await;
    }
    assert_eq!(
        (
            replica.balance(CUSTOMER).await,
            replica.feed(CUSTOMER).await.len()
        ),
        (900, 1)
    );
    assert_eq!(replica.count("CouponIssued").await, 1);
}

#[tokio::test]
async fn a_coupon_is_held_used_up_or_given_back() {
    let place = Place::sqlite();
    let replica = place.replica().await;
    replica
        .take_in(&[told("gift", delivered(CUSTOMER)), told("a", using("coupon-gift"))])
        .await;
    let held = CouponState::Reserved {
        order_id: "a".into(),
        waiting: Vec::new(),
    };
    assert_eq!(replica.coupon("coupon-gift").await, Some(held));
    replica.take_in(&[told("a", Fact::OrderEnded)]).await;
    assert_eq!(replica.coupon("coupon-gift").await, Some(CouponState::Issued));
    assert_eq!(replica.count("CouponReleased").await, 1);
    // Told before the order itself was.
    replica.take_in(&[told("b", delivered(CUSTOMER))]).await;
    replica.take_in(&[told("b", using("coupon-gift"))]).await;
    assert_eq!(
        replica.coupon("coupon-gift").await,
        Some(CouponState::Redeemed { order_id: "b".into() })
    );
    assert_eq!(replica.count("CouponRedeemed").await, 1);
    assert_eq!(replica.balance(CUSTOMER).await, 1_800);
}

#[tokio::test]
async fn a_refund_takes_the_points_back_before_or_after() {
    let place = Place::sqlite();
    let replica = place.replica().await;
    let refund = || told("late", Fact::PaymentRefunded { at: START });
    replica
        .take_in(&[told("late", delivered(CUSTOMER)), refund(), refund()])
        .await;
    assert_eq!(replica.balance(CUSTOMER).await, 0);
    replica
        .take_in(&[told("early", Fact::PaymentRefunded { at: START })])
        .await;
    replica.take_in(&[told("early", delivered(CUSTOMER))]).await;
    assert_eq!(replica.balance(CUSTOMER).await, 0);
    assert_eq!(
        (
            replica.count("PointsEarned").await,
            replica.count("PointsReversed").await
        ),
        (2, 2)
    );
    assert_eq!(replica.feed(CUSTOMER).await, [1, 2]);
    // A refund of an order that was never delivered has nothing to take back.
    replica
        .take_in(&[
            told("cancelled", Fact::OrderEnded),
            told("cancelled", Fact::PaymentRefunded { at: START }),
        ])
        .await;
    assert_eq!(replica.count("PointsReversed").await, 2);
}

#[tokio::test]
async fn an_unused_coupon_expires_after_its_time_and_a_held_one_does_not() {
    let place = Place::sqlite();
    let replica = place.replica().await;
    replica
        .take_in(&[
            told("a", delivered(CUSTOMER)),
            told("b", delivered(CUSTOMER)),
            told("c", using("coupon-b")),
        ])
        .await;
    place.clock.forward(Rules::default().coupon_lifetime_ms);
    assert_eq!(
        replica.app.expire_coupons().await.expect("looked"),
        0,
        "an order may still be on its way"
    );
    place.clock.forward(5 * 60_000);
    assert_eq!(replica.app.expire_coupons().await.expect("looked"), 1);
    assert_eq!(replica.app.expire_coupons().await.expect("looked"), 0);
    assert_eq!(replica.coupon("coupon-a").await, Some(CouponState::Expired));
    assert!(matches!(
        replica.coupon("coupon-b").await,
        Some(CouponState::Reserved { .. })
    ));
    replica.take_in(&[told("d", using("coupon-a"))]).await;
    assert_eq!(
        replica.coupon("coupon-a").await,
        Some(CouponState::Expired),
        "what is over stays over"
    );
}

#[tokio::test]
async fn a_coupon_nobody_knows_changes_nothing() {
    let place = Place::sqlite();
    let replica = place.replica().await;
    replica
        .take_in(&[told("a", using("nonsense")), told("a", delivered(CUSTOMER))])
        .await;
    assert_eq!(replica.coupon("nonsense").await, None);
    assert_eq!(replica.balance(CUSTOMER).await, 900);
}

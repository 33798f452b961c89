//! One behaviour suite for the ports, run on every adapter.

use crate::support::{CUSTOMER, Place, Replica, START, delivered, told, using};
use baedal_marketing::domain::{Benefit, Coupon, CouponState, Delivery, End, EntryKind, Member};
use baedal_marketing::policies::Fact;
use baedal_marketing::ports::{Decisions, SaveError, Tracked};
use std::collections::HashSet;
use uuid::Uuid;

#[tokio::test]
async fn suite_on_sqlite() {
    suite(&Place::sqlite()).await;
}

#[tokio::test]
async fn suite_on_mongodb() {
    if let Some(place) = Place::mongo() {
        suite(&place).await;
    }
}

async fn suite(place: &Place) {
    let replica = place.replica().await;
    aggregates_are_read_back_as_they_were_written(&replica).await;
    a_decision_on_an_old_version_writes_nothing(&replica).await;
    a_batch_with_a_handled_event_writes_nothing(&replica).await;
    ledger_and_feed_are_read_in_pages(&replica).await;
    coupons_are_read_newest_first(&replica).await;
    heads_tell_which_feeds_have_grown(&replica, place).await;
    only_unused_coupons_are_overdue(&replica).await;
    many_orders_are_saved_at_once(&replica).await;
    events_are_told_in_order_with_their_cause(&replica).await;
}

fn new<T>(state: T) -> Tracked<T> {
    Tracked {
        state,
        before: 0,
        moves: 1,
    }
}

fn coupon(id: &str, issued_at: i64, state: CouponState) -> Coupon {
    Coupon {
        id: id.into(),
        customer_id: "collector".into(),
        amount: 1_000,
        issued_for: format!("order-of-{id}"),
        issued_at,
        expires_at: issued_at + 10,
        state,
    }
}

async fn aggregates_are_read_back_as_they_were_written(replica: &Replica) {
    let delivery = Delivery {
        customer_id: "c".into(),
        store_id: "s".into(),
        points: 7,
        at: 9,
    };
    let benefits = [
        Benefit::default(),
        Benefit {
            coupon_id: Some("x".into()),
            end: Some(End::Cancelled),
            refunded: true,
        },
        Benefit {
            coupon_id: None,
            end: Some(End::Delivered(delivery)),
            refunded: false,
        },
    ];
    let states = [
        CouponState::Issued,
        CouponState::Reserved {
            order_id: "a".into(),
            waiting: vec!["b".into(), "c".into()],
        },
        CouponState::Redeemed { order_id: "a".into() },
        CouponState::Expired,
    ];
    let coupons: Vec<Coupon> = states
        .into_iter()
        .enumerate()
        .map(|(n, state)| coupon(&format!("rw-{n}"), 50, state))
        .collect();
    let member = Member::stored("rw".into(), 40, 3, 2);
    let ids: Vec<String> = (0..benefits.len()).map(|n| format!("rw-{n}")).collect();
    let decisions = Decisions {
        benefits: ids
            .iter()
            .cloned()
            .zip(benefits.iter().cloned().map(new))
            .collect(),
        coupons: coupons.iter().cloned().map(new).collect(),
        members: vec![new(member.clone())],
        now: START,
        ..Decisions::default()
    };
    replica.books.save(decisions).await.expect("saved");
    let mut found = replica.books.benefits(&ids).await.expect("found");
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected: Vec<_> = ids
        .into_iter()
        .zip(benefits)
        .map(|(id, state)| (id, Tracked::loaded(state, 1)))
        .collect();
    assert_eq!(found, expected);
    let ids: Vec<String> = coupons
        .iter()
        .map(|one| one.id.clone())
        .chain(["nothing".into()])
        .collect();
    let mut found = replica.books.coupons(&ids).await.expect("found");
    found.sort_by(|a, b| a.state.id.cmp(&b.state.id));
    assert_eq!(
        found,
        coupons
            .into_iter()
            .map(|one| Tracked::loaded(one, 1))
            .collect::<Vec<_>>()
    );
    let found = replica
        .books
        .members(&["rw".into(), "nobody".into()])
        .await
        .expect("found");
    assert_eq!(found, [Tracked::loaded(member, 1)]);
    assert!(replica.books.coupons(&[]).await.expect("found").is_empty());
}

async fn a_decision_on_an_old_version_writes_nothing(replica: &Replica) {
    let member = Member::stored("old".into(), 1, 0, 0);
    let save = async |before: u64, event: Option<Uuid>| {
        let one = Tracked {
            state: member.clone(),
            before,
            moves: 1,
        };
        let innocent = vec![("innocent".to_owned(), new(Benefit::default()))];
        let handled = event.into_iter().collect();
        let benefits = if before == 0 { Vec::new() } else { innocent };
        replica
            .books
            .save(Decisions {
                members: vec![one],
                benefits,
                handled,
                now: START,
                ..Decisions::default()
            })
            .await
    };
    save(0, None).await.expect("the first version");
    for stale in [0, 2, 9] {
        let event = Uuid::now_v7();
        let refused = save(stale, Some(event)).await;
        assert!(
            matches!(refused, Err(SaveError::Conflict)),
            "{stale}: {refused:?}"
        );
        assert!(
            replica
                .books
                .benefits(&["innocent".into()])
                .await
                .expect("found")
                .is_empty(),
            "all or nothing"
        );
        let handled = Decisions {
            handled: vec![event],
            now: START,
            ..Decisions::default()
        };
        replica
            .books
            .save(handled)
            .await
            .expect("the event counts as not handled");
    }
    save(1, None).await.expect("the right version");
}

async fn a_batch_with_a_handled_event_writes_nothing(replica: &Replica) {
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let handled = |ids: &[Uuid]| Decisions {
        handled: ids.to_vec(),
        now: START,
        ..Decisions::default()
    };
    replica.books.save(handled(&[first])).await.expect("saved");
    let mut both = handled(&[first, second]);
    both.members = vec![new(Member::new("twice"))];
    match replica.books.save(both).await {
        Err(SaveError::Seen { fresh }) => assert_eq!(fresh, HashSet::from([second])),
        other => panic!("{other:?}"),
    }
    assert!(
        replica
            .books
            .members(&["twice".into()])
            .await
            .expect("found")
            .is_empty()
    );
}

async fn ledger_and_feed_are_read_in_pages(replica: &Replica) {
    let events: Vec<_> = (0..5)
        .map(|n| told(&format!("page-{n}"), delivered("reader")))
        .collect();
    replica.take_in(&events).await;
    replica
        .take_in(&[told("page-1", Fact::PaymentRefunded { at: START + 9 })])
        .await;
    let items = replica.feeds.items_after("reader", 2, 2).await.expect("the feed");
    let items: Vec<(u64, &str)> = items
        .iter()
        .map(|item| (item.sequence, item.order_id.as_str()))
        .collect();
    assert_eq!(items, [(3, "page-2"), (4, "page-3")]);
    let entries = replica
        .views
        .entries_of("reader", None, 2)
        .await
        .expect("the ledger");
    let newest: Vec<_> = entries
        .iter()
        .map(|one| (one.number, one.kind, one.points, one.balance))
        .collect();
    assert_eq!(
        newest,
        [
            (6, EntryKind::Reversed, -900, 3_600),
            (5, EntryKind::Earned, 900, 4_500)
        ]
    );
    let rest = replica
        .views
        .entries_of("reader", Some(5), 100)
        .await
        .expect("the ledger");
    assert_eq!(
        rest.iter().map(|one| one.number).collect::<Vec<_>>(),
        [4, 3, 2, 1]
    );
}

async fn coupons_are_read_newest_first(replica: &Replica) {
    let all = ["c-1", "c-2", "c-3"].map(|id| {
        let at = if id == "c-1" { 100 } else { 200 };
        let mut coupon = coupon(id, at, CouponState::Expired);
        coupon.customer_id = "pages".into();
        new(coupon)
    });
    replica
        .books
        .save(Decisions {
            coupons: all.to_vec(),
            now: START,
            ..Decisions::default()
        })
        .await
        .expect("saved");
    let page = async |after: Option<(i64, String)>, limit| {
        let coupons = replica
            .views
            .coupons_of("pages", after, limit)
            .await
            .expect("coupons");
        coupons.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 9).await, ["c-3", "c-2", "c-1"]);
    assert_eq!(page(Some((200, "c-3".into())), 1).await, ["c-2"]);
    assert_eq!(page(Some((200, "c-2".into())), 9).await, ["c-1"]);
}

async fn heads_tell_which_feeds_have_grown(replica: &Replica, place: &Place) {
    place.clock.forward(60_000);
    let began = START + 60_000;
    replica
        .take_in(&[
            told("head-1", delivered("head-a")),
            told("head-2", delivered("head-a")),
        ])
        .await;
    place.clock.forward(10);
    replica.take_in(&[told("head-3", delivered("head-b"))]).await;
    let changed = replica
        .feeds
        .changed_after((began - 1, String::new()), 10)
        .await
        .expect("heads");
    let changed: Vec<_> = changed
        .into_iter()
        .map(|head| (head.customer_id, head.sequence, head.touched_at))
        .collect();
    assert_eq!(
        changed,
        [("head-a".into(), 2, began), ("head-b".into(), 1, began + 10)]
    );
    let later = replica
        .feeds
        .changed_after((began, "head-a".into()), 1)
        .await
        .expect("heads");
    assert_eq!((later.len(), later[0].customer_id.as_str()), (1, "head-b"));
    let heads = replica
        .feeds
        .heads(&["head-a".into(), "nobody".into()])
        .await
        .expect("heads");
    assert_eq!(heads.iter().map(|head| head.sequence).collect::<Vec<_>>(), [2]);
}

async fn only_unused_coupons_are_overdue(replica: &Replica) {
    let states = [
        ("due-1", 10, CouponState::Issued),
        ("due-2", 11, CouponState::Issued),
        (
            "held",
            10,
            CouponState::Reserved {
                order_id: "a".into(),
                waiting: Vec::new(),
            },
        ),
        ("fresh", 500, CouponState::Issued),
    ];
    let coupons = states
        .into_iter()
        .map(|(id, at, state)| new(coupon(id, at, state)))
        .collect();
    replica
        .books
        .save(Decisions {
            coupons,
            now: START,
            ..Decisions::default()
        })
        .await
        .expect("saved");
    let overdue = async |limit| {
        let found = replica.books.overdue(40, limit).await.expect("read");
        found.into_iter().map(|one| one.state.id).collect::<Vec<_>>()
    };
    assert_eq!(overdue(9).await, ["due-1", "due-2"]);
    assert_eq!(overdue(1).await, ["due-1"]);
}

async fn many_orders_are_saved_at_once(replica: &Replica) {
    let events: Vec<_> = (0..333)
        .map(|n| told(&format!("many-{n:03}"), delivered("many")))
        .collect();
    replica.take_in(&events).await;
    assert_eq!(replica.feed("many").await, (1..=333).collect::<Vec<_>>());
    assert_eq!(replica.balance("many").await, 333 * 900);
}

async fn events_are_told_in_order_with_their_cause(replica: &Replica) {
    let mut placed = told("tell-2", using("coupon-tell-1"));
    placed.cause.causation_id = Some("cause".into());
    placed.cause.traceparent = Some("00-trace".into());
    replica
        .take_in(&[told("tell-1", delivered(CUSTOMER)), placed])
        .await;
    let mut end = told("tell-2", Fact::OrderEnded);
    end.cause.causation_id = Some("the end".into());
    replica
        .take_in(&[end, told("tell-1", Fact::PaymentRefunded { at: START })])
        .await;
    let told: Vec<_> = replica
        .told()
        .await
        .into_iter()
        .filter(|one| one.correlation_id.starts_with("tell-"))
        .collect();
    let types: Vec<_> = told
        .iter()
        .map(|one| (one.correlation_id.as_str(), one.r#type.as_str()))
        .collect();
    let expected = [
        ("tell-1", "CouponIssued"),
        ("tell-1", "PointsEarned"),
        ("tell-2", "CouponReleased"),
        ("tell-1", "PointsReversed"),
    ];
    assert_eq!(types, expected);
    assert_eq!(told[0].aggregate_id, "coupon-tell-1");
    assert_eq!(told[2].causation_id.as_deref(), Some("the end"));
    assert!(told[0].sequence < told[2].sequence && told[1].sequence < told[3].sequence);
    assert_eq!(told[0].data["orderId"], "tell-1");
    assert_eq!(told[3].data["points"], 900);
}

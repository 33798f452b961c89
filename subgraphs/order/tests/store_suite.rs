//! What every adapter of the stores promises, in one suite.

use std::collections::HashSet;

use baedal_order::{domain::*, ports::*};
use uuid::Uuid;

use crate::support::{
    BEGIN, TestStore, basket, customer, dish, pending, pending_from, store_id, with_coupon,
};

macro_rules! suite {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(super::TestStore::sqlite().await).await; })*
        }
        mod mongo {
            $(#[tokio::test] async fn $name() {
                match std::env::var("MONGODB_URL") {
                    Ok(url) => super::$name(super::TestStore::mongo(&url).await).await,
                    Err(_) => eprintln!("MONGODB_URL is not set: `cargo xtask test` runs this on a real server"),
                }
            })*
        }
    };
}

suite!(
    an_order_comes_back_as_it_was,
    a_stale_version_is_a_conflict_and_changes_nothing,
    a_customers_key_is_unique,
    keys_raced_for_are_had_by_one,
    an_event_is_digested_once,
    all_or_nothing,
    a_coupon_is_held_by_one_order,
    a_coupon_is_free_until_held,
    a_menu_comes_back_and_is_guarded,
    a_customers_orders_come_newest_first_in_pages,
    waiting_orders_come_longest_first_in_pages,
    a_batch_is_saved_together,
);

async fn save(store: &TestStore, order: Order) -> Result<Order, StoreError> {
    store
        .orders
        .commit(Changes {
            orders: vec![order.clone()],
            ..Changes::default()
        })
        .await?;
    Ok(Order {
        version: order.version + 1,
        ..order
    })
}

fn recorded(order: &Order, event: Event) -> Recorded {
    Recorded {
        id: Uuid::now_v7(),
        order: order.clone(),
        sequence: 1,
        at: BEGIN,
        cause: Some(Uuid::now_v7()),
        event,
    }
}

/// Something in every field, and every kind of state on the way.
async fn an_order_comes_back_as_it_was(store: TestStore) {
    let mut order = save(&store, pending_from("o1", with_coupon("k1", "c1")))
        .await
        .unwrap();
    assert_eq!(store.orders.find(&order.id).await.unwrap().unwrap(), order);
    order = save(&store, order.place(BEGIN + 1).unwrap().0).await.unwrap();
    let news = [
        News::Delivered,
        News::Accepted { eta_minutes: 30 },
        News::PaymentApproved,
    ];
    for news in news {
        order = save(&store, order.hear(news, BEGIN + 2).0).await.unwrap();
        assert_eq!(store.orders.find(&order.id).await.unwrap().unwrap(), order);
    }
    order = save(
        &store,
        order.request_cancel(CancelReason::Customer, BEGIN + 3).unwrap().0,
    )
    .await
    .unwrap();
    assert_eq!(store.orders.find(&order.id).await.unwrap().unwrap(), order);
    for news in [News::CancelAccepted, News::PaymentRefunded] {
        order = save(&store, order.hear(news, BEGIN + 4).0).await.unwrap();
        assert_eq!(store.orders.find(&order.id).await.unwrap().unwrap(), order);
    }
    assert_eq!(order.state.status(), Status::Cancelled);
    let failed = pending("o2", "k2")
        .fail(
            Failure::Declined {
                reason: "LIMIT".to_owned(),
            },
            BEGIN,
        )
        .unwrap()
        .0;
    let failed = save(&store, failed).await.unwrap();
    assert_eq!(store.orders.find(&failed.id).await.unwrap().unwrap(), failed);
    let early = pending("o3", "k3")
        .hear(
            News::Rejected {
                reason: "no".to_owned(),
            },
            BEGIN,
        )
        .0;
    let early = save(&store, early).await.unwrap();
    assert_eq!(store.orders.find(&early.id).await.unwrap().unwrap(), early);
    let rejected = save(&store, early.place(BEGIN).unwrap().0).await.unwrap();
    assert_eq!(rejected.state.status(), Status::Rejected);
    assert_eq!(
        store
            .orders
            .by_key(&customer(), &basket("k3").key)
            .await
            .unwrap()
            .unwrap(),
        rejected
    );
}

async fn a_stale_version_is_a_conflict_and_changes_nothing(store: TestStore) {
    let order = save(&store, pending("o1", "k1")).await.unwrap();
    let placed = save(&store, order.clone().place(BEGIN).unwrap().0).await.unwrap();
    let stale = order
        .fail(
            Failure::Declined {
                reason: "late".to_owned(),
            },
            BEGIN,
        )
        .unwrap()
        .0;
    let events = vec![recorded(
        &stale,
        Event::PaymentFailed {
            code: "PAYMENT_DECLINED",
            void: false,
        },
    )];
    let refused = store
        .orders
        .commit(Changes {
            orders: vec![stale],
            events,
            ..Changes::default()
        })
        .await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(store.orders.find(&placed.id).await.unwrap().unwrap(), placed);
    assert_eq!(store.told().await.len(), 0);
}

async fn a_customers_key_is_unique(store: TestStore) {
    save(&store, pending("o1", "k1")).await.unwrap();
    let refused = save(&store, pending("o2", "k1")).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    let other = Basket {
        customer: CustomerId::parse("someone").unwrap(),
        ..basket("k1")
    };
    save(&store, pending_from("o3", other)).await.unwrap();
}

async fn keys_raced_for_are_had_by_one(store: TestStore) {
    let store = std::sync::Arc::new(store);
    let attempts: Vec<_> = (0..8)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { save(&store, pending(&format!("o{n}"), "k1")).await })
        })
        .collect();
    let mut had = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(_) => had += 1,
            Err(StoreError::Conflict) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(had, 1);
}

async fn an_event_is_digested_once(store: TestStore) {
    let (old, new) = (Uuid::now_v7(), Uuid::now_v7());
    store
        .orders
        .commit(Changes {
            seen: vec![old],
            ..Changes::default()
        })
        .await
        .unwrap();
    let order = pending("o1", "k1");
    let again = Changes {
        orders: vec![order.clone()],
        seen: vec![new, old],
        ..Changes::default()
    };
    match store.orders.commit(again).await {
        Err(StoreError::Seen(seen)) => assert_eq!(seen, HashSet::from([old])),
        other => panic!("{other:?}"),
    }
    assert!(store.orders.find(&order.id).await.unwrap().is_none());
    store
        .orders
        .commit(Changes {
            orders: vec![order],
            seen: vec![new],
            ..Changes::default()
        })
        .await
        .unwrap();
}

async fn all_or_nothing(store: TestStore) {
    save(&store, pending("o1", "k1")).await.unwrap();
    let id = Uuid::now_v7();
    let fresh = pending("o2", "k2");
    let changes = Changes {
        events: vec![recorded(&fresh, Event::Placed)],
        orders: vec![fresh, pending("o3", "k1")],
        seen: vec![id],
        ..Changes::default()
    };
    assert!(matches!(
        store.orders.commit(changes).await,
        Err(StoreError::Conflict)
    ));
    assert_eq!(
        store
            .orders
            .find_many(&["o2", "o3"].map(|id| OrderId::parse(id).unwrap()))
            .await
            .unwrap(),
        []
    );
    assert_eq!(store.told().await.len(), 0);
    store
        .orders
        .commit(Changes {
            seen: vec![id],
            ..Changes::default()
        })
        .await
        .unwrap();
}

async fn a_coupon_is_held_by_one_order(store: TestStore) {
    let first = save(&store, pending_from("o1", with_coupon("k1", "c1")))
        .await
        .unwrap();
    let second = save(&store, pending_from("o2", with_coupon("k2", "c1"))).await;
    assert!(matches!(second, Err(StoreError::CouponTaken)), "{second:?}");
    let failed = first
        .fail(
            Failure::Declined {
                reason: "LIMIT".to_owned(),
            },
            BEGIN,
        )
        .unwrap()
        .0;
    let failed = save(&store, failed).await.unwrap();
    let third = save(&store, pending_from("o3", with_coupon("k3", "c1")))
        .await
        .unwrap();
    // Late news of the failed order must not free the coupon under the new one.
    save(&store, failed.hear(News::PaymentVoided, BEGIN).0)
        .await
        .unwrap();
    let fourth = save(&store, pending_from("o4", with_coupon("k4", "c1"))).await;
    assert!(matches!(fourth, Err(StoreError::CouponTaken)), "{fourth:?}");
    assert!(third.holds_coupon());
}

async fn a_coupon_is_free_until_held(store: TestStore) {
    let id = CouponId::parse("c1").unwrap();
    assert_eq!(store.coupons.free_coupon(&id).await.unwrap(), None);
    let coupon = Coupon {
        id: id.clone(),
        customer: customer(),
        amount: Won::parse(1_000).unwrap(),
        expires_at: BEGIN + 9,
    };
    for _ in 0..2 {
        store
            .orders
            .commit(Changes {
                coupons: vec![coupon.clone()],
                ..Changes::default()
            })
            .await
            .unwrap();
    }
    assert_eq!(store.coupons.free_coupon(&id).await.unwrap(), Some(coupon));
    save(&store, pending_from("o1", with_coupon("k1", "c1")))
        .await
        .unwrap();
    assert_eq!(store.coupons.free_coupon(&id).await.unwrap(), None);
}

async fn a_menu_comes_back_and_is_guarded(store: TestStore) {
    assert_eq!(store.menus.menu(&store_id()).await.unwrap(), None);
    let menu = Menu::unknown(store_id())
        .hear(MenuNews::Opened)
        .hear(dish("tongdak", "통닭", 18_000, true, 7));
    store
        .orders
        .commit(Changes {
            menus: vec![menu.clone()],
            ..Changes::default()
        })
        .await
        .unwrap();
    let found = store.menus.menu(&store_id()).await.unwrap().unwrap();
    assert_eq!(
        found,
        Menu {
            version: 1,
            ..menu.clone()
        }
    );
    let stale = store
        .orders
        .commit(Changes {
            menus: vec![menu],
            ..Changes::default()
        })
        .await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    let closed = found.hear(MenuNews::Closed);
    store
        .orders
        .commit(Changes {
            menus: vec![closed.clone()],
            ..Changes::default()
        })
        .await
        .unwrap();
    assert_eq!(
        store.menus.menu(&store_id()).await.unwrap(),
        Some(Menu { version: 2, ..closed })
    );
}

async fn a_customers_orders_come_newest_first_in_pages(store: TestStore) {
    for n in 0..7 {
        // Two at a time share their instant.
        let order = pending(&format!("o{n}"), &format!("k{n}"));
        save(
            &store,
            Order {
                requested_at: BEGIN + n / 2,
                ..order
            },
        )
        .await
        .unwrap();
    }
    let stranger = Basket {
        customer: CustomerId::parse("someone").unwrap(),
        ..basket("k1")
    };
    save(&store, pending_from("other", stranger)).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.orders.of_customer(&customer(), after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(Position {
            at: last.requested_at,
            order: last.id.as_str().to_owned(),
        });
        seen.extend(page.into_iter().map(|order| order.id.as_str().to_owned()));
    }
    assert_eq!(seen, ["o6", "o5", "o4", "o3", "o2", "o1", "o0"]);
}

async fn waiting_orders_come_longest_first_in_pages(store: TestStore) {
    for n in 0..5 {
        let order = pending(&format!("o{n}"), &format!("k{n}"));
        save(
            &store,
            Order {
                state: State::PaymentPending { since: BEGIN + n / 2 },
                ..order
            },
        )
        .await
        .unwrap();
    }
    save(
        &store,
        pending("done", "kd")
            .fail(
                Failure::Declined {
                    reason: "LIMIT".to_owned(),
                },
                BEGIN,
            )
            .unwrap()
            .0,
    )
    .await
    .unwrap();
    save(&store, pending("placed", "kp").place(BEGIN).unwrap().0)
        .await
        .unwrap();
    let ids = async |statuses: &[Status], since, after: Option<&Position>| -> Vec<String> {
        let found = store
            .orders
            .waiting(
                Wait {
                    statuses,
                    since,
                    after,
                },
                3,
            )
            .await
            .unwrap();
        found.iter().map(|order| order.id.as_str().to_owned()).collect()
    };
    assert_eq!(
        ids(&[Status::PaymentPending], BEGIN + 2, None).await,
        ["o0", "o1", "o2"]
    );
    let after = Position {
        at: BEGIN + 1,
        order: "o2".to_owned(),
    };
    assert_eq!(
        ids(&[Status::PaymentPending], BEGIN + 2, Some(&after)).await,
        ["o3"]
    );
    assert_eq!(
        ids(&[Status::PaymentPending, Status::Placed], BEGIN + 1, None).await,
        ["o0", "o1", "placed"]
    );
    assert_eq!(
        ids(&[Status::PaymentPending], BEGIN, None).await,
        Vec::<String>::new()
    );
}

async fn a_batch_is_saved_together(store: TestStore) {
    let orders: Vec<Order> = (0..120)
        .map(|n| pending(&format!("o{n}"), &format!("k{n}")))
        .collect();
    store
        .orders
        .commit(Changes {
            orders: orders.clone(),
            ..Changes::default()
        })
        .await
        .unwrap();
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id.clone()).collect();
    let found = store.orders.find_many(&ids).await.unwrap();
    assert_eq!(found.len(), 120);
    let placed: Vec<Order> = found
        .into_iter()
        .map(|order| order.place(BEGIN).unwrap().0)
        .collect();
    let events = placed
        .iter()
        .map(|order| recorded(order, Event::Placed))
        .collect();
    store
        .orders
        .commit(Changes {
            orders: placed.clone(),
            events,
            ..Changes::default()
        })
        .await
        .unwrap();
    assert_eq!(store.told().await.len(), 120);
    let stale = store
        .orders
        .commit(Changes {
            orders: placed,
            ..Changes::default()
        })
        .await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
}

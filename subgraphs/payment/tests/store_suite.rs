//! What every adapter of `Payments` promises, in one suite.

use std::collections::HashSet;

use baedal_payment::{domain::*, ports::*};
use uuid::Uuid;

use crate::support::{BEGIN, TestStore, id, requested};

macro_rules! suite {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(super::TestStore::sqlite().await).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() {
                match std::env::var("POSTGRES_URL") {
                    Ok(url) => super::$name(super::TestStore::postgres(&url).await).await,
                    Err(_) => eprintln!("POSTGRES_URL is not set: `cargo xtask test` runs this on a real server"),
                }
            })*
        }
    };
}

suite!(
    a_payment_comes_back_as_it_was,
    an_order_has_one_payment,
    payments_raced_for_are_had_by_one,
    a_stale_version_is_a_conflict_and_changes_nothing,
    an_event_is_digested_once,
    all_or_nothing,
    a_customers_payments_come_newest_first_in_pages,
    open_payments_come_longest_first,
    batches_that_overlap_do_not_block_each_other,
);

async fn save(store: &TestStore, payment: Payment) -> Result<Payment, StoreError> {
    store
        .payments
        .commit(Changes {
            payments: vec![payment.clone()],
            ..Changes::default()
        })
        .await?;
    Ok(Payment {
        version: payment.version + 1,
        ..payment
    })
}

fn recorded(payment: &Payment, event: Event) -> Recorded {
    Recorded {
        id: Uuid::now_v7(),
        order: payment.order.clone(),
        customer: payment.customer.clone(),
        sequence: 1,
        at: BEGIN,
        cause: Some(Uuid::now_v7()),
        event,
    }
}

async fn a_payment_comes_back_as_it_was(store: TestStore) {
    let why = || "because".to_owned();
    let same = async |payment: Payment| -> Payment {
        let saved = save(&store, payment).await.unwrap();
        assert_eq!(store.payments.find(&saved.order).await.unwrap().unwrap(), saved);
        saved
    };
    let refunded = same(requested("o1")).await;
    let refunded = same(refunded.approve("ref".to_owned(), BEGIN + 1).unwrap().0).await;
    let refunded = same(refunded.refund(why(), BEGIN + 2).unwrap().0).await;
    same(refunded.confirm_refund(BEGIN + 3).unwrap().0).await;
    let voided = same(requested("o2").lose(why(), BEGIN + 1).unwrap().0).await;
    let voided = same(voided.void(why(), BEGIN + 2).unwrap().0).await;
    same(voided.confirm_void(BEGIN + 3).unwrap().0).await;
    same(requested("o3").decline(why(), BEGIN + 1).unwrap().0).await;
    same(Payment::tombstone(id("o4"), None, why(), BEGIN).0).await;
    let found = store
        .payments
        .find_many(&["o1", "o4", "o9"].map(id))
        .await
        .unwrap();
    assert_eq!(found.len(), 2);
}

async fn an_order_has_one_payment(store: TestStore) {
    save(&store, requested("o1")).await.unwrap();
    let second = save(&store, requested("o1")).await;
    assert!(matches!(second, Err(StoreError::Conflict)), "{second:?}");
}

async fn payments_raced_for_are_had_by_one(store: TestStore) {
    let store = std::sync::Arc::new(store);
    let attempts: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { save(&store, requested("o1")).await })
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

async fn a_stale_version_is_a_conflict_and_changes_nothing(store: TestStore) {
    let payment = save(&store, requested("o1")).await.unwrap();
    let approved = save(
        &store,
        payment.clone().approve("ref".to_owned(), BEGIN).unwrap().0,
    )
    .await
    .unwrap();
    let (stale, events) = payment.decline("late".to_owned(), BEGIN).unwrap();
    let events = events.into_iter().map(|event| recorded(&stale, event)).collect();
    let refused = store
        .payments
        .commit(Changes {
            payments: vec![stale],
            events,
            ..Changes::default()
        })
        .await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    assert_eq!(store.payments.find(&id("o1")).await.unwrap().unwrap(), approved);
    assert_eq!(store.told().await.len(), 0);
}

async fn an_event_is_digested_once(store: TestStore) {
    let (old, new) = (Uuid::now_v7(), Uuid::now_v7());
    store
        .payments
        .commit(Changes {
            seen: vec![old],
            ..Changes::default()
        })
        .await
        .unwrap();
    let again = Changes {
        payments: vec![requested("o1")],
        seen: vec![new, old],
        ..Changes::default()
    };
    match store.payments.commit(again).await {
        Err(StoreError::Seen(seen)) => assert_eq!(seen, HashSet::from([old])),
        other => panic!("{other:?}"),
    }
    assert!(store.payments.find(&id("o1")).await.unwrap().is_none());
    store
        .payments
        .commit(Changes {
            seen: vec![new],
            ..Changes::default()
        })
        .await
        .unwrap();
}

async fn all_or_nothing(store: TestStore) {
    save(&store, requested("o2")).await.unwrap();
    let (first, events) = Payment::tombstone(id("o1"), None, "void".to_owned(), BEGIN);
    let events: Vec<Recorded> = events.into_iter().map(|event| recorded(&first, event)).collect();
    let seen = Uuid::now_v7();
    let changes = Changes {
        payments: vec![first.clone(), requested("o2")],
        events: events.clone(),
        seen: vec![seen],
    };
    assert!(matches!(
        store.payments.commit(changes).await,
        Err(StoreError::Conflict)
    ));
    assert!(store.payments.find(&id("o1")).await.unwrap().is_none());
    assert_eq!(store.told().await.len(), 0);
    store
        .payments
        .commit(Changes {
            payments: vec![first],
            events,
            seen: vec![seen],
        })
        .await
        .unwrap();
    assert_eq!(store.told().await, ["PaymentVoided"]);
}

async fn a_customers_payments_come_newest_first_in_pages(store: TestStore) {
    for n in 0..7 {
        // Two at a time share their instant.
        save(
            &store,
            Payment {
                requested_at: BEGIN + n / 2,
                ..requested(&format!("o{n}"))
            },
        )
        .await
        .unwrap();
    }
    let someone = CustomerId::parse("someone").unwrap();
    save(
        &store,
        Payment {
            customer: Some(someone),
            ..requested("other")
        },
    )
    .await
    .unwrap();
    let me = CustomerId::parse("demo-customer").unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.payments.of_customer(&me, after, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(Position {
            at: last.requested_at,
            order: last.order.as_str().to_owned(),
        });
        seen.extend(page.into_iter().map(|payment| payment.order.as_str().to_owned()));
    }
    assert_eq!(seen, ["o6", "o5", "o4", "o3", "o2", "o1", "o0"]);
}

async fn open_payments_come_longest_first(store: TestStore) {
    for n in [3, 1, 2] {
        let state = State::Requested { since: BEGIN + n };
        save(
            &store,
            Payment {
                state,
                ..requested(&format!("o{n}"))
            },
        )
        .await
        .unwrap();
    }
    save(
        &store,
        requested("done").approve("ref".to_owned(), BEGIN).unwrap().0,
    )
    .await
    .unwrap();
    let refunding = requested("back")
        .approve("ref".to_owned(), BEGIN)
        .unwrap()
        .0
        .refund("why".to_owned(), BEGIN)
        .unwrap()
        .0;
    save(&store, refunding).await.unwrap();
    let open = store.payments.open(BEGIN + 2, 10).await.unwrap();
    assert_eq!(
        open.iter()
            .map(|payment| payment.order.as_str())
            .collect::<Vec<_>>(),
        ["back", "o1", "o2"]
    );
    assert_eq!(store.payments.open(BEGIN + 2, 1).await.unwrap().len(), 1);
}

async fn batches_that_overlap_do_not_block_each_other(store: TestStore) {
    let names: Vec<String> = (0..20).map(|n| format!("o{n:02}")).collect();
    for name in &names {
        save(&store, requested(name)).await.unwrap();
    }
    let ids: Vec<OrderId> = names.iter().map(|name| id(name)).collect();
    let one = store.payments.find_many(&ids).await.unwrap();
    let decide = |payment: Payment| payment.decline("LIMIT".to_owned(), BEGIN).unwrap().0;
    let forward: Vec<Payment> = one.into_iter().map(decide).collect();
    let backward: Vec<Payment> = forward.iter().rev().cloned().collect();
    let commit = async |payments| {
        store
            .payments
            .commit(Changes {
                payments,
                ..Changes::default()
            })
            .await
    };
    let (one, two) = tokio::join!(commit(forward), commit(backward));
    assert_eq!(
        usize::from(one.is_ok()) + usize::from(two.is_ok()),
        1,
        "{one:?} {two:?}"
    );
}

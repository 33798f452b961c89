//! Several replicas on one database cause each effect once, and their customers' feeds have no gaps.

use crate::support::{Place, Replica, delivered, told, using};
use baedal_marketing::app::Incoming;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

const ORDERS: usize = 90;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_on_sqlite() {
    three_replicas(&Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_on_mongodb() {
    if let Some(place) = Place::mongo() {
        three_replicas(&place).await;
    }
}

/// All three are given all events at the same time, all about two customers.
async fn three_replicas(place: &Place) {
    let replicas = [
        place.replica().await,
        place.replica().await,
        place.replica().await,
    ];
    let customer = |n: usize| if n.is_multiple_of(2) { "even" } else { "odd" };
    let events = (0..ORDERS).flat_map(|n| {
        let order = format!("o-{n:03}");
        let uses = told(&order, using(&format!("coupon-o-{:03}", (n + 45) % ORDERS)));
        [told(&order, delivered(customer(n))), uses]
    });
    let events: Arc<Vec<Incoming>> = Arc::new(events.collect());
    let takers = replicas
        .iter()
        .map(|replica| tokio::spawn(take_all(replica.clone(), events.clone())));
    for taker in takers.collect::<Vec<_>>() {
        taker.await.expect("took all in");
    }
    for name in ["even", "odd"] {
        assert_eq!(
            replicas[0].feed(name).await,
            (1..=ORDERS as u64 / 2).collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(replicas[0].balance(name).await, ORDERS as i64 / 2 * 900, "{name}");
    }
    let all = replicas[0].told().await;
    let of = |name: &str| all.iter().filter(|one| one.r#type == name).count();
    assert_eq!((of("CouponIssued"), of("PointsEarned")), (ORDERS, ORDERS));
    let distinct: HashSet<_> = all
        .iter()
        .map(|one| (one.r#type.clone(), one.correlation_id.clone()))
        .collect();
    assert_eq!(distinct.len(), all.len(), "nothing was told twice");
}

async fn take_all(replica: Replica, events: Arc<Vec<Incoming>>) {
    for some in events.chunks(20) {
        for attempt in 0.. {
            // What the consumer loop does with a transient error.
            match replica.app.take_in(some).await {
                Ok(()) => break,
                Err(error) => assert!(attempt < 30, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

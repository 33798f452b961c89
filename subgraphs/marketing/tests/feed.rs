//! The live feed over the application: resume, other replicas, the end of a token.

use crate::support::{CUSTOMER, Place, Replica, delivered, told};
use baedal_kit::telemetry::Telemetry;
use baedal_marketing::feed::{Resumed, Stopped, deliveries, run_poller};
use futures_util::{Stream, StreamExt};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

type Items = Pin<Box<dyn Stream<Item = Result<u64, Stopped>> + Send>>;

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

async fn watch(replica: &Replica, after: Option<u64>, until: Instant) -> Result<Items, Stopped> {
    let items = deliveries(replica.app.clone(), CUSTOMER.into(), Resumed { after, until }).await?;
    Ok(items.map(|item| item.map(|item| item.sequence)).boxed())
}

async fn next(items: &mut Items, within_ms: u64) -> Option<u64> {
    let item = timeout(Duration::from_millis(within_ms), items.next())
        .await
        .ok()?;
    Some(item.expect("goes on").expect("an item"))
}

async fn deliver(replica: &Replica, orders: std::ops::Range<usize>) {
    let events: Vec<_> = orders
        .map(|n| told(&format!("o-{n}"), delivered(CUSTOMER)))
        .collect();
    replica.take_in(&events).await;
}

#[tokio::test]
async fn without_a_cursor_it_begins_now_and_with_one_right_after_it() {
    let place = Place::sqlite();
    let replica = place.replica().await;
    deliver(&replica, 0..250).await;
    let mut fresh = watch(&replica, None, in_a_minute()).await.expect("watching");
    let mut again = watch(&replica, Some(3), in_a_minute()).await.expect("watching");
    for expected in 4..=250 {
        assert_eq!(next(&mut again, 5_000).await, Some(expected));
    }
    assert_eq!(next(&mut fresh, 50).await, None);
    deliver(&replica, 250..251).await;
    assert_eq!(
        (next(&mut fresh, 5_000).await, next(&mut again, 5_000).await),
        (Some(251), Some(251))
    );
    assert_eq!(next(&mut again, 50).await, None);
}

#[tokio::test]
async fn a_cursor_beyond_the_end_is_refused() {
    let place = Place::sqlite();
    let replica = place.replica().await;
    deliver(&replica, 0..2).await;
    assert!(watch(&replica, Some(2), in_a_minute()).await.is_ok());
    assert!(matches!(
        watch(&replica, Some(3), in_a_minute()).await,
        Err(Stopped::UnknownCursor)
    ));
}

#[tokio::test]
async fn what_another_replica_took_in_is_delivered_soon() {
    let place = Place::sqlite();
    let (here, there) = (place.replica().await, place.replica().await);
    let stop = CancellationToken::new();
    let rounds = Telemetry::unread().rounds("feed poller", Duration::ZERO);
    let poller = tokio::spawn(run_poller(here.app.clone(), rounds, stop.clone()));
    let mut items = watch(&here, None, in_a_minute()).await.expect("watching");
    for n in 0..5 {
        place.clock.forward(500);
        deliver(&there, n..n + 1).await;
        assert_eq!(next(&mut items, 5_000).await, Some(n as u64 + 1));
    }
    // One whose clock is far behind is found by the full look.
    place.clock.forward(-3_600_000);
    deliver(&there, 5..6).await;
    place.clock.forward(3_600_000);
    assert_eq!(next(&mut items, 10_000).await, Some(6));
    stop.cancel();
    poller.await.expect("ended");
}

/// Sabotage: without the poller, and without having taken it in itself, a process does not learn of a delivery in time.
#[tokio::test]
async fn without_the_poller_a_delivery_elsewhere_goes_unseen() {
    let place = Place::sqlite();
    let (here, there) = (place.replica().await, place.replica().await);
    let mut items = watch(&here, None, in_a_minute()).await.expect("watching");
    assert_eq!(next(&mut items, 100).await, None, "it has looked, and waits");
    deliver(&there, 0..1).await;
    assert_eq!(next(&mut items, 1_000).await, None);
}

#[tokio::test]
async fn it_ends_with_the_token() {
    let place = Place::sqlite();
    let replica = place.replica().await;
    let until = Instant::now() + Duration::from_millis(200);
    let mut items = watch(&replica, None, until).await.expect("watching");
    deliver(&replica, 0..1).await;
    assert_eq!(next(&mut items, 5_000).await, Some(1));
    let end = timeout(Duration::from_secs(5), items.next())
        .await
        .expect("ends")
        .expect("says why");
    assert!(matches!(end, Err(Stopped::TokenExpired)), "{end:?}");
    assert!(items.next().await.is_none());
}

#[tokio::test]
async fn feeds_nobody_watches_are_forgotten() {
    let place = Place::sqlite();
    let replica = place.replica().await;
    let items = watch(&replica, None, in_a_minute()).await.expect("watching");
    assert_eq!(replica.app.hub.watched(), [CUSTOMER]);
    drop(items);
    assert!(replica.app.hub.watched().is_empty());
}

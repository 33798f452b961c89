//! Several replicas on one database cause each effect once.

use crate::support::{Place, asked, ordered, outbox, told};
use baedal_kit::outbox::OutboxSource;
use baedal_kit::telemetry::Telemetry;
use baedal_store::app::{App, auto, auto::Lease};
use baedal_store::domain::Status;
use baedal_store::policies::Fact;
use baedal_store::ports::Tickets;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const ORDERS: usize = 60;
const STEPS: [&str; 5] = [
    "OrderAccepted",
    "CookingStarted",
    "CookingFinished",
    "DeliveryStarted",
    "Delivered",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_on_sqlite() {
    three_replicas(&Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_replicas_on_postgres() {
    if let Some(place) = Place::postgres().await {
        three_replicas(&place).await;
    }
}

/// All three are given all events, and all three drive the tickets.
async fn three_replicas(place: &Place) {
    let (store, first) = place.opened().await;
    let apps = [first, place.replica().await.1, place.replica().await.1];
    let events: Arc<Vec<_>> = Arc::new((0..ORDERS).flat_map(|n| ordered(&format!("o-{n:03}"))).collect());
    let stop = CancellationToken::new();
    let mut tasks = Vec::new();
    for app in &apps {
        let rounds = Telemetry::unread().rounds("auto mode", Duration::ZERO);
        tasks.push(tokio::spawn(auto::run(
            app.clone(),
            Duration::ZERO,
            rounds,
            stop.clone(),
        )));
    }
    let takers = apps
        .iter()
        .map(|app| tokio::spawn(take_all(app.clone(), events.clone())));
    for taker in takers.collect::<Vec<_>>() {
        taker.await.expect("took all in");
    }
    let ids: Vec<String> = (0..ORDERS).map(|n| format!("o-{n:03}")).collect();
    for round in 0.. {
        let filed = store.find(&ids).await.expect("found");
        if filed
            .iter()
            .filter(|filed| filed.order.status() == Status::Delivered)
            .count()
            == ORDERS
        {
            break;
        }
        assert!(round < 600, "not delivered within 30 s");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    for task in tasks {
        task.await.expect("ended");
    }
    let mut told: HashMap<String, Vec<(String, u64)>> = HashMap::new();
    for one in outbox(&store)
        .await
        .into_iter()
        .filter(|one| one.correlation_id.starts_with("o-"))
    {
        told.entry(one.correlation_id)
            .or_default()
            .push((one.r#type, one.sequence));
    }
    assert_eq!(told.len(), ORDERS);
    for (order, told) in told {
        let types: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(types, STEPS, "{order}");
        assert!(
            told.windows(2).all(|pair| pair[0].1 < pair[1].1),
            "{order}: {told:?}"
        );
    }
    assert_eq!(
        store.outbox().depth().await.expect("depth").rows as usize,
        ORDERS * 5 + 2
    );
}

async fn take_all(app: Arc<App>, events: Arc<Vec<baedal_store::app::Incoming>>) {
    for some in events.chunks(17) {
        let mut taken = app.take_in(some).await;
        for _ in 0..20 {
            if taken.is_ok() {
                break;
            }
            // What the consumer loop does with a transient error.
            tokio::time::sleep(Duration::from_millis(20)).await;
            taken = app.take_in(some).await;
        }
        taken.expect("taken in");
    }
}

/// Leases aside, versions alone let each step happen once: two replicas that both believe they lead.
#[tokio::test]
async fn two_leaders_still_take_each_step_once() {
    let place = Place::sqlite();
    let (store, one) = place.opened().await;
    let (_, two) = place.replica().await;
    one.take_in(
        &(0..20)
            .flat_map(|n| ordered(&format!("o-{n}")))
            .collect::<Vec<_>>(),
    )
    .await
    .expect("taken in");
    for _ in 0..5 {
        let sweep = async |app: &App, owner: &'static str| {
            let mut lease = Lease {
                owner,
                until: i64::MAX,
            };
            app.sweep(Duration::ZERO, &mut lease).await.expect("swept");
        };
        tokio::join!(sweep(&one, "one"), sweep(&two, "two"));
    }
    let delivered = outbox(&store)
        .await
        .into_iter()
        .filter(|one| one.r#type == "Delivered")
        .count();
    assert_eq!(delivered, 20);
}

#[tokio::test]
async fn tickets_rest_in_each_state_and_survive_a_restart() {
    let place = Place::sqlite();
    let (store, app) = place.opened().await;
    app.take_in(&ordered("o")).await.expect("taken in");
    let mut lease = Lease {
        owner: "first",
        until: 0,
    };
    let delay = Duration::from_millis(300);
    let swept = app.sweep(delay, &mut lease).await.expect("swept");
    assert_eq!((swept.moved, swept.rest_ms), (0, 300), "it rests first");
    place.clock.forward(300);
    assert_eq!(app.sweep(delay, &mut lease).await.expect("swept").moved, 1);
    assert_eq!(app.sweep(delay, &mut lease).await.expect("swept").moved, 0);
    // The replica dies; another one waits for its lease to run out, then goes on where it stopped.
    let (_, other) = place.replica().await;
    let mut theirs = Lease {
        owner: "second",
        until: 0,
    };
    place.clock.forward(300);
    assert_eq!(
        other.sweep(delay, &mut theirs).await.expect("swept").moved,
        0,
        "the lease still holds"
    );
    place.clock.forward(1_500);
    for status in [
        Status::Cooking,
        Status::Cooked,
        Status::Delivering,
        Status::Delivered,
    ] {
        assert_eq!(other.sweep(delay, &mut theirs).await.expect("swept").moved, 1);
        assert_eq!(crate::support::status(&store, "o").await, Some(status));
        place.clock.forward(300);
    }
    assert_eq!(other.sweep(delay, &mut theirs).await.expect("swept").moved, 0);
}

#[tokio::test]
async fn a_clock_that_was_an_hour_ahead_keeps_no_ticket_for_an_hour() {
    const HOUR: i64 = 3_600_000;
    let place = Place::sqlite();
    let (store, app) = place.opened().await;
    place.clock.forward(HOUR);
    app.take_in(&ordered("o")).await.expect("taken in");
    let mut lease = Lease {
        owner: "first",
        until: 0,
    };
    assert_eq!(
        app.sweep(Duration::ZERO, &mut lease).await.expect("swept").moved,
        1
    );
    place.clock.forward(-HOUR);
    // The one that led an hour ahead has died, and its lease with it.
    let (_, other) = place.replica().await;
    let mut theirs = Lease {
        owner: "second",
        until: 0,
    };
    for _ in 0..4 {
        let delay = Duration::from_millis(300);
        assert_eq!(other.sweep(delay, &mut theirs).await.expect("swept").moved, 1);
        place.clock.forward(300);
    }
    assert_eq!(crate::support::status(&store, "o").await, Some(Status::Delivered));
}

#[tokio::test]
async fn a_cancellation_between_two_steps_stops_auto_mode() {
    let place = Place::sqlite();
    let (store, app) = place.opened().await;
    app.take_in(&ordered("o")).await.expect("taken in");
    let mut lease = Lease {
        owner: "me",
        until: 0,
    };
    app.sweep(Duration::ZERO, &mut lease).await.expect("accepted");
    app.take_in(&[told("o", Fact::OrderCancelRequested(asked()))])
        .await
        .expect("taken in");
    assert_eq!(
        app.sweep(Duration::ZERO, &mut lease).await.expect("swept").moved,
        0
    );
    assert_eq!(
        crate::support::events_of(&store, "o").await,
        ["OrderAccepted", "StoreCancelAccepted"]
    );
}

//! The whole service as it is started: event log in, event log out.

use crate::support::{Place, order_placed, payment_approved, said};
use baedal_events::{DomainEvent, ORDER_TOPIC, PAYMENT_TOPIC, STORE_TOPIC};
use baedal_kit::envelope::Envelope;
use baedal_kit::log::{self, EventLog, Record};
use baedal_kit::serve::Running;
use baedal_store::{Config, start};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn config(folder: &TempDir, auto: bool) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        database_url: format!("sqlite://{}/store.db?mode=rwc", folder.path().display()),
        events_url: format!("embedded:{}/events.db", folder.path().display()),
        issuer: "http://127.0.0.1:9".into(),
        jwks_url: None,
        audience: "baedal".into(),
        demo: true,
        auto,
        step_delay: Duration::ZERO,
        retention: baedal_kit::prune::Retention::default(),
    }
}

fn record<E: DomainEvent>(event: &E) -> Record {
    Record {
        key: event.key().to_owned(),
        payload: said(event, 1).to_json().into_bytes(),
    }
}

async fn publish(log: &dyn EventLog, orders: std::ops::Range<usize>) {
    let id = |n: usize| format!("order-{n:04}");
    let placed = orders.clone().map(|n| record(&order_placed(&id(n)))).collect();
    let approved = orders.map(|n| record(&payment_approved(&id(n)))).collect();
    log.publish(ORDER_TOPIC, placed).await.expect("published");
    log.publish(PAYMENT_TOPIC, approved).await.expect("published");
}

/// Reads the store's topic until that many orders are delivered; the types of each order's events, in order.
///
/// An event may be published twice (a relay killed before it noted the first time): then under the same id, as every
/// consumer's inbox expects.
async fn delivered(log: &dyn EventLog, group: &str, count: usize) -> HashMap<String, Vec<String>> {
    let mut reader = log.join(group, &[STORE_TOPIC]).await.expect("joined");
    let (mut told, mut done) = (HashMap::<String, Vec<String>>::new(), 0);
    let (mut seen, mut quiet, began) = (HashSet::new(), 0, Instant::now());
    // Whatever comes too often comes soon after.
    while done < count || quiet < 2 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{done} of {count} delivered within 60 s"
        );
        let polled = reader
            .poll(1_000, Duration::from_millis(200))
            .await
            .expect("polled");
        quiet = if polled.is_empty() { quiet + 1 } else { 0 };
        for one in polled {
            let event = Envelope::from_json(&one.payload).expect("an envelope");
            assert_eq!(one.key, event.correlation_id);
            if seen.insert(event.id) {
                done += usize::from(event.r#type == "Delivered");
                told.entry(one.key).or_default().push(event.r#type);
            }
        }
    }
    reader.close().await;
    told
}

fn each_step_once(told: &HashMap<String, Vec<String>>, count: usize) {
    let steps = [
        "OrderAccepted",
        "CookingStarted",
        "CookingFinished",
        "DeliveryStarted",
        "Delivered",
    ];
    let orders: Vec<_> = told.iter().filter(|(key, _)| key.starts_with("order-")).collect();
    assert_eq!(orders.len(), count);
    for (order, types) in orders {
        assert_eq!(types, &steps, "{order}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_queued_orders_are_delivered_within_ten_seconds() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = a_thousand_orders(config(&folder, true)).await;
    // The demo's stores were announced, once.
    assert_eq!(
        told["store-seoul"]
            .iter()
            .filter(|one| *one == "StoreOpened")
            .count(),
        1
    );
    assert_eq!(
        told["store-seoul"]
            .iter()
            .filter(|one| *one == "MenuChanged")
            .count(),
        5
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_a_thousand_queued_orders_are_delivered_within_ten_seconds() {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(place) = Place::postgres().await {
        a_thousand_orders(Config {
            database_url: place.url,
            demo: false,
            ..config(&folder, true)
        })
        .await;
    }
}

async fn a_thousand_orders(config: Config) -> HashMap<String, Vec<String>> {
    let log = log::open(&config.events_url).await.expect("a log");
    publish(log.as_ref(), 0..1_000).await;
    let began = Instant::now();
    let running = start(config).await.expect("started");
    let told = delivered(log.as_ref(), "test", 1_000).await;
    let took = began.elapsed();
    println!("1000 orders from OrderPlaced to Delivered in {took:?}");
    each_step_once(&told, 1_000);
    running.shutdown().await;
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again_and_twice_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder, true);
    let log: Arc<dyn EventLog> = log::open(&config.events_url).await.expect("a log");
    publish(log.as_ref(), 0..100).await;
    for pause in [150, 300, 600] {
        let running: Running = start(config.clone()).await.expect("started");
        tokio::time::sleep(Duration::from_millis(pause)).await;
        running.kill();
    }
    let replicas = [
        start(config.clone()).await.expect("started"),
        start(config.clone()).await.expect("started"),
    ];
    publish(log.as_ref(), 100..200).await;
    let told = delivered(log.as_ref(), "test", 200).await;
    for running in replicas {
        running.shutdown().await;
    }
    each_step_once(&told, 200);
    assert_eq!(
        told["store-seoul"]
            .iter()
            .filter(|one| *one == "StoreOpened")
            .count(),
        1
    );
}

#[tokio::test]
async fn bad_settings_say_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = config(&folder, false);
    let cases = [
        (
            Config {
                database_url: "postgres://localhost/store".into(),
                ..good.clone()
            },
            "DEMO=false",
        ),
        (
            Config {
                database_url: "mysql://x".into(),
                demo: false,
                ..good.clone()
            },
            "DATABASE_URL",
        ),
        (
            Config {
                database_url: "postgres://127.0.0.1:9/store".into(),
                demo: false,
                ..good.clone()
            },
            "DATABASE_URL",
        ),
        (
            Config {
                events_url: "nonsense".into(),
                ..good.clone()
            },
            "EVENTS_URL",
        ),
    ];
    for (config, expected) in cases {
        let error = start(config).await.expect_err("refused");
        let text = format!("{error:#}");
        assert!(text.contains(expected), "{text}");
    }
    let running = start(good.clone()).await.expect("started");
    let taken = start(Config {
        listen: running.addr(),
        ..good
    })
    .await
    .expect_err("refused");
    assert!(
        format!("{taken:#}").contains(&running.addr().port().to_string()),
        "{taken:#}"
    );
    let base = running.url().replace("/graphql", "");
    let ready = reqwest::get(format!("{base}/health/ready"))
        .await
        .expect("an answer");
    assert_eq!(ready.status(), 200);
    let forged = reqwest::Client::new()
        .post(running.url())
        .bearer_auth("e30.e30.e30");
    let forged = forged
        .json(&serde_json::json!({"query": "{__typename}"}))
        .send()
        .await;
    assert_eq!(forged.expect("an answer").status(), 401);
    running.shutdown().await;
}

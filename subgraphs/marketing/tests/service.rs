//! The whole service as it is started.

use crate::live::{config, delivery};
use crate::support::CUSTOMER;
use baedal_events::{MARKETING_TOPIC, STORE_TOPIC};
use baedal_kit::envelope::Envelope;
use baedal_kit::log;
use baedal_marketing::{Config, start};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again_and_thrice_each_delivery_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = config(&folder, "http://127.0.0.1:9");
    let log = log::open(&config.events_url).await.expect("a log");
    let records = |from: usize, to: usize| {
        (from..to)
            .map(|n| delivery(&format!("o-{n:03}"), CUSTOMER))
            .collect()
    };
    log.publish(STORE_TOPIC, records(0, 100))
        .await
        .expect("published");
    for pause in [100, 300] {
        let running = start(config.clone()).await.expect("started");
        tokio::time::sleep(Duration::from_millis(pause)).await;
        running.kill();
    }
    let mut replicas = Vec::new();
    for _ in 0..3 {
        replicas.push(start(config.clone()).await.expect("started"));
    }
    log.publish(STORE_TOPIC, records(100, 200))
        .await
        .expect("published");
    log.publish(STORE_TOPIC, records(150, 160))
        .await
        .expect("published again, under new ids");
    let mut reader = log.join("test", &[MARKETING_TOPIC]).await.expect("joined");
    let (mut told, began) = (HashMap::<(String, String), usize>::new(), Instant::now());
    let (mut seen, mut quiet) = (HashSet::new(), 0);
    while told.len() < 400 || quiet < 3 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{} of 400 after 60 s",
            told.len()
        );
        let polled = reader
            .poll(1_000, Duration::from_millis(200))
            .await
            .expect("polled");
        quiet = if polled.is_empty() { quiet + 1 } else { 0 };
        for one in polled {
            let event = Envelope::from_json(&one.payload).expect("an envelope");
            // Published twice under one id, by a relay that was killed before it noted the first time, is once.
            if seen.insert(event.id) {
                *told.entry((event.r#type, event.correlation_id)).or_default() += 1;
            }
        }
    }
    reader.close().await;
    assert_eq!(told.len(), 400, "one coupon and one entry per order");
    for ((event, order), times) in told {
        assert_eq!(times, 1, "{event} of {order}");
    }
    for running in replicas {
        running.shutdown().await;
    }
}

#[tokio::test]
async fn bad_settings_say_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = config(&folder, "http://127.0.0.1:9");
    let cases = [
        (
            Config {
                database_url: "postgres://localhost/x".into(),
                ..good.clone()
            },
            "mongodb://",
        ),
        (
            Config {
                database_url: "mongodb://127.0.0.1:9/x?serverSelectionTimeoutMS=200".into(),
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
    running.shutdown().await;
}

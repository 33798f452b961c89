//! Signs of life.

use std::time::{Duration, Instant};

use baedal_telemetry::Vitals;
use baedal_telemetry::metrics::Gauge;

const LIMIT: Duration = Duration::from_secs(10);

#[test]
fn a_loop_that_is_silent_for_too_long_is_named_until_it_beats_again() {
    let vitals = Vitals::default();
    let relay = vitals.pulse("outbox relay", LIMIT);
    let _other = vitals.pulse("patient", LIMIT * 100);
    let now = Instant::now();
    assert_eq!(vitals.silent(now), []);
    let late = now + LIMIT + Duration::from_secs(1);
    let silent = vitals.silent(late);
    assert_eq!(silent.len(), 1);
    let said = silent[0].to_string();
    assert!(
        said.starts_with("outbox relay has given no sign of life for 1"),
        "{said}"
    );
    relay.beat();
    assert_eq!(vitals.silent(Instant::now()), []);
}

#[test]
fn a_loop_that_ends_is_forgotten_and_one_that_panics_is_not() {
    let vitals = Vitals::default();
    drop(vitals.pulse("ended", LIMIT));
    assert_eq!(vitals.silent(Instant::now() + 2 * LIMIT), []);
    let pulse = vitals.pulse("consumer", LIMIT);
    let panicked = std::thread::spawn(move || {
        let _held = pulse;
        panic!("as the test wants it");
    });
    panicked.join().expect_err("it panics");
    let silent = vitals.silent(Instant::now());
    assert_eq!(silent.len(), 1);
    assert_eq!(silent[0].to_string(), "consumer has ended by a panic");
}

#[tokio::test]
async fn an_event_loop_that_is_blocked_lags() {
    let (vitals, lag) = (Vitals::default(), Gauge::default());
    tokio::spawn(vitals.clone().keep_beating("serve-1", LIMIT, lag.clone()));
    tokio::time::sleep(Duration::from_millis(300)).await;
    std::thread::sleep(Duration::from_millis(600));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(lag.get() > 0.2, "{}", lag.get());
    assert_eq!(vitals.silent(Instant::now()), []);
}

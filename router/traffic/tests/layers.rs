//! All layers together, in tokio's paused time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use baedal_traffic::breaker::State;
use baedal_traffic::{Ask, Layers, Outcome, Settings, Stopped, TokioClock, breaker, bulkhead};
use tokio::time::Instant;

const TIMEOUT: Duration = Duration::from_secs(1);

fn settings() -> Settings {
    Settings {
        timeout: TIMEOUT,
        bulkhead: bulkhead::Settings {
            at_once: Some(4),
            ..bulkhead::Settings::default()
        },
        ..Settings::default()
    }
}

fn layers(settings: Settings) -> Arc<Layers> {
    Arc::new(Layers::new("test", settings, Arc::new(TokioClock::new())))
}

fn ask(within: Duration) -> Ask {
    Ask {
        within,
        patient: false,
    }
}

/// A call that takes so long and ends so.
async fn call(layers: &Layers, takes: u64, outcome: Outcome) -> Result<(), Stopped> {
    let takes = Duration::from_millis(takes);
    let call = tokio::time::sleep(takes);
    layers.call(ask(TIMEOUT), call, |()| outcome).await
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_a_failure_and_one_cut_short_is_none() {
    let layers = layers(settings());
    let impatient = Duration::from_millis(10);
    for _ in 0..100 {
        let never = std::future::pending::<()>();
        let cut = layers.call(ask(impatient), never, |()| Outcome::Success).await;
        assert_eq!(cut, Err(Stopped::TimedOut(impatient)));
    }
    assert_eq!(layers.snapshot().breaker.opened, 0);
    let began = Instant::now();
    let calls = (0..40).map(|_| {
        let layers = layers.clone();
        tokio::spawn(async move { call(&layers, 60_000, Outcome::Success).await })
    });
    let calls: Vec<_> = calls.collect();
    for task in calls {
        task.await.unwrap().unwrap_err();
    }
    assert!(began.elapsed() <= TIMEOUT + Duration::from_millis(20));
    assert_eq!(layers.snapshot().under_way, 0);
    for _ in 0..5 {
        let one = || call(&layers, 60_000, Outcome::Success);
        let _ = tokio::join!(one(), one(), one(), one());
    }
    assert_eq!(layers.breaker().snapshot().state, State::Open);
    assert_eq!(layers.snapshot().timed_out, 120);
}

#[tokio::test(start_paused = true)]
async fn a_full_bulkhead_refuses_before_the_breaker_is_asked() {
    let layers = layers(settings());
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let layers = layers.clone();
            tokio::spawn(async move { call(&layers, 500, Outcome::Success).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 4);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(()) | Err(Stopped::Full)))
    );
    assert_eq!(
        (layers.snapshot().refused, layers.snapshot().breaker.rejected),
        (6, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_gives_its_probe_and_its_place_back() {
    let layers = layers(settings());
    for _ in 0..20 {
        call(&layers, 1, Outcome::Failure).await.unwrap();
    }
    assert!(matches!(
        call(&layers, 1, Outcome::Success).await,
        Err(Stopped::Open(_))
    ));
    tokio::time::sleep(Duration::from_secs(5)).await;
    for _ in 0..50 {
        let left = tokio::time::timeout(Duration::from_millis(5), call(&layers, 500, Outcome::Success));
        assert!(left.await.is_err());
    }
    assert_eq!(layers.breaker().snapshot().state, State::HalfOpen);
    for _ in 0..5 {
        call(&layers, 1, Outcome::Success).await.unwrap();
    }
    assert_eq!(layers.breaker().snapshot().state, State::Closed);
    assert_eq!(layers.snapshot().under_way, 0);
}

/// How many of 200 calls, one after the other, reach something that is dead.
async fn reached(breaker: bool) -> usize {
    let layers = layers(Settings {
        breaker: breaker::Settings {
            enabled: breaker,
            ..breaker::Settings::default()
        },
        ..settings()
    });
    let reached = AtomicUsize::new(0);
    for _ in 0..200 {
        let dead = async {
            reached.fetch_add(1, Ordering::SeqCst);
        };
        let _ = layers.call(ask(TIMEOUT), dead, |()| Outcome::Failure).await;
    }
    reached.into_inner()
}

#[tokio::test(start_paused = true)]
async fn what_is_dead_is_not_called_any_more_and_without_the_breaker_it_is() {
    assert_eq!(reached(true).await, 20);
    assert_eq!(reached(false).await, 200, "sabotage");
}

#[tokio::test(start_paused = true)]
async fn retries_stay_within_attempts_budget_and_time() {
    let layers = layers(settings());
    let (long, short) = (Duration::from_secs(1), Duration::from_millis(10));
    assert!(layers.retry(0, 0.5, None, long).is_some());
    assert!(layers.retry(1, 0.5, None, long).is_none(), "once is enough");
    assert!(
        layers.retry(0, 1.0, None, short).is_none(),
        "there is no time left"
    );
    let spent = (0..1_000).filter(|_| layers.retry(0, 0.0, None, long).is_some());
    assert_eq!(
        spent.count(),
        99,
        "ten per second for ten seconds, and one is gone"
    );
    (0..100).for_each(|_| layers.begin());
    assert!(layers.retry(0, 0.0, None, long).is_some());
    assert_eq!(layers.snapshot().retried, 101);
}

#[tokio::test(start_paused = true)]
async fn other_settings_hold_from_the_next_call_on() {
    let layers = layers(settings());
    layers.change(Settings {
        timeout: Duration::from_millis(5),
        ..settings()
    });
    let cut = call(&layers, 10, Outcome::Success).await;
    assert_eq!(cut, Err(Stopped::TimedOut(Duration::from_millis(5))));
    assert_eq!(layers.settings().timeout, Duration::from_millis(5));
}

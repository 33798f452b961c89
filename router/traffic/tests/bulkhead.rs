//! The bulkhead: never more than its limit, a bounded wait, a bounded queue, a limit that changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use baedal_traffic::adaptive;
use baedal_traffic::bulkhead::{Bulkhead, Settings};
use tokio::time::Instant;

fn of(at_once: usize, wait: u64, queue: usize) -> Settings {
    Settings {
        at_once: Some(at_once),
        wait: Duration::from_millis(wait),
        queue,
        adaptive: None,
    }
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_turn_in_time_is_refused() {
    let bulkhead = Bulkhead::new(of(2, 20, 10));
    let _first = bulkhead.enter().await.unwrap();
    let second = bulkhead.enter().await.unwrap();
    let began = Instant::now();
    assert!(bulkhead.enter().await.is_err());
    assert_eq!(began.elapsed().as_millis(), 20);
    let (third, ()) = tokio::join!(bulkhead.enter(), async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(second);
    });
    assert!(third.is_ok(), "a place became free in time");
    assert_eq!(
        (bulkhead.refused(), bulkhead.waiting(), bulkhead.under_way()),
        (1, 0, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn who_comes_when_too_many_wait_is_refused_at_once() {
    let bulkhead = Bulkhead::new(of(1, 1_000, 2));
    let _taken = bulkhead.enter().await.unwrap();
    let began = Instant::now();
    let shed = async {
        tokio::task::yield_now().await;
        let refused = bulkhead.enter().await.is_err();
        (refused, began.elapsed())
    };
    let (first, second, (shed, took)) = tokio::join!(bulkhead.enter(), bulkhead.enter(), shed);
    assert!(first.is_err() && second.is_err() && shed);
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn patient_work_waits_as_long_as_it_likes() {
    let bulkhead = Bulkhead::new(of(1, 1, 0));
    let taken = bulkhead.enter().await.unwrap();
    let (patient, ()) = tokio::join!(bulkhead.enter_within(Duration::from_secs(5)), async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        drop(taken);
    });
    assert!(patient.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_leaves_no_trace() {
    let bulkhead = Bulkhead::new(of(1, 1_000, 1));
    let taken = bulkhead.enter().await.unwrap();
    let gone = tokio::time::timeout(Duration::from_millis(5), bulkhead.enter()).await;
    assert!(gone.is_err());
    assert_eq!(bulkhead.waiting(), 0);
    drop(taken);
    assert!(bulkhead.enter().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_limit_changes_under_way() {
    let bulkhead = Bulkhead::new(of(4, 1, 10));
    let mut places = Vec::new();
    for _ in 0..4 {
        places.push(bulkhead.enter().await.unwrap());
    }
    bulkhead.change(of(2, 1, 10));
    assert_eq!((bulkhead.limit(), bulkhead.under_way()), (2, 4));
    places.truncate(2);
    assert_eq!(bulkhead.under_way(), 2);
    assert!(bulkhead.enter().await.is_err(), "two are under way");
    places.pop();
    places.push(bulkhead.enter().await.unwrap());
    bulkhead.change(of(1, 1, 10));
    bulkhead.change(of(3, 1, 10));
    places.push(bulkhead.enter().await.unwrap());
    assert!(bulkhead.enter().await.is_err(), "three are under way");
    places.clear();
    assert_eq!((bulkhead.under_way(), bulkhead.limit()), (0, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_and_a_limit_that_moves_lose_no_place() {
    let bulkhead = Arc::new(Bulkhead::new(of(8, 1_000, 1_000)));
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (bulkhead, inside, most) = (Arc::clone(&bulkhead), Arc::clone(&inside), Arc::clone(&most));
            tokio::spawn(async move {
                for _ in 0..200 {
                    let place = bulkhead.enter_within(Duration::from_secs(60)).await.unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(place);
                }
            })
        })
        .collect();
    for turn in 0..200 {
        bulkhead.change(of(1 + turn % 8, 1_000, 1_000));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert!(most.load(Ordering::SeqCst) <= 8, "{most:?}");
    assert_eq!(
        (bulkhead.limit(), bulkhead.under_way(), bulkhead.waiting()),
        (8, 0, 0)
    );
}

#[tokio::test]
async fn an_adaptive_limit_follows_how_long_calls_take() {
    let settings = Settings {
        adaptive: Some(adaptive::Settings {
            least: 4,
            target: Duration::from_millis(100),
        }),
        ..of(40, 1, 10)
    };
    let bulkhead = Bulkhead::new(settings);
    let millis = Duration::from_millis;
    for round in 0..50 {
        let place = bulkhead.enter().await.unwrap();
        place.leave(millis(round * 1_000), millis(round * 1_000 + 500), false);
    }
    assert_eq!(bulkhead.limit(), 4, "all calls were slow");
    for round in 0..2_000 {
        let mut places = Vec::new();
        while places.len() < bulkhead.limit() {
            places.push(bulkhead.enter().await.unwrap());
        }
        let now = millis(100_000 + round * 10);
        places
            .into_iter()
            .for_each(|place| place.leave(now, now + millis(5), false));
    }
    assert_eq!(bulkhead.limit(), 40, "all calls were quick");
    let now = millis(1_000_000);
    let mut places = Vec::new();
    for _ in 0..30 {
        places.push(bulkhead.enter().await.unwrap());
    }
    places
        .into_iter()
        .for_each(|place| place.leave(now, now + millis(500), true));
    assert_eq!(bulkhead.limit(), 36, "one burst is one sign");
}

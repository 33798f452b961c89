//! Every interleaving of a few threads at the breaker (`cargo xtask loom`): exactly the probes get through, whoever asks
//! when, and a probe given up is given back.

use std::sync::Arc as StdArc;
use std::time::Duration;

use baedal_traffic::breaker::{Settings, State};
use baedal_traffic::{Breaker, Outcome};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

use crate::{Hands, call};

/// Opened, and its time is up.
fn about_to_probe(probes: u32) -> Arc<Breaker> {
    let hands = Hands::new();
    let settings = Settings {
        min_calls: 1,
        probes,
        open_for: Duration::from_secs(1),
        ..Settings::default()
    };
    let breaker = Breaker::new("loom", settings, StdArc::clone(&hands) as _);
    assert!(call(&breaker, Outcome::Failure));
    hands.move_on(1_000);
    Arc::new(breaker)
}

#[test]
fn exactly_the_probes_get_through() {
    loom::model(|| {
        let breaker = about_to_probe(2);
        let through = Arc::new(AtomicU32::new(0));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (breaker, through) = (Arc::clone(&breaker), Arc::clone(&through));
                thread::spawn(move || {
                    if let Ok(pass) = breaker.enter() {
                        through.fetch_add(1, Ordering::SeqCst);
                        // Still under way when all have asked.
                        std::mem::forget(pass);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(through.load(Ordering::SeqCst), 2);
        assert_eq!(breaker.snapshot().state, State::HalfOpen);
    });
}

#[test]
fn a_probe_given_up_is_given_back_and_one_verdict_is_reached() {
    loom::model(|| {
        let breaker = about_to_probe(1);
        let gives_up = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || drop(breaker.enter()))
        };
        let answers = {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || call(&breaker, Outcome::Success))
        };
        gives_up.join().unwrap();
        let answered = answers.join().unwrap();
        let snapshot = breaker.snapshot();
        let wanted = if answered { State::Closed } else { State::HalfOpen };
        assert_eq!((snapshot.state, snapshot.half_opened), (wanted, 1));
        // Whatever happened, the next one may find out.
        assert!(call(&breaker, Outcome::Success));
        assert_eq!(breaker.snapshot().state, State::Closed);
    });
}

#[test]
fn of_two_failures_at_once_one_opens() {
    loom::model(|| {
        let settings = Settings {
            min_calls: 2,
            ..Settings::default()
        };
        let breaker = Arc::new(Breaker::new("loom", settings, Hands::new()));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let breaker = Arc::clone(&breaker);
                thread::spawn(move || call(&breaker, Outcome::Failure))
            })
            .collect();
        let through = threads.into_iter().map(|thread| thread.join().unwrap());
        assert_eq!(through.filter(|through| *through).count(), 2);
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.state, snapshot.opened), (State::Open, 1));
    });
}

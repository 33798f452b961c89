//! The circuit breaker, by a clock that the test moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use baedal_traffic::breaker::{Settings, State};
use baedal_traffic::{Breaker, Outcome};

use crate::{Hands, call};

fn breaker() -> (Breaker, Arc<Hands>) {
    let hands = Hands::new();
    let settings = Settings {
        min_calls: 10,
        probes: 3,
        slow_call: Duration::from_millis(600),
        open_for: Duration::from_secs(2),
        ..Settings::default()
    };
    (Breaker::new("test", settings, hands.clone()), hands)
}

fn broken() -> (Breaker, Arc<Hands>) {
    let (breaker, hands) = breaker();
    (0..10).for_each(|_| assert!(call(&breaker, Outcome::Failure)));
    (breaker, hands)
}

#[test]
fn it_opens_at_the_failure_rate_and_not_below_the_least_number_of_calls() {
    let (breaker, _) = breaker();
    (0..9).for_each(|_| assert!(call(&breaker, Outcome::Failure)));
    assert_eq!(breaker.snapshot().state, State::Closed);
    call(&breaker, Outcome::Failure);
    assert_eq!(breaker.snapshot().state, State::Open);
    assert!(!call(&breaker, Outcome::Success));
    assert_eq!(breaker.snapshot().rejected, 1);
}

#[test]
fn it_stays_closed_just_below_the_failure_rate() {
    let (breaker, _) = breaker();
    for turn in 0..100 {
        call(
            &breaker,
            if turn % 5 > 2 {
                Outcome::Failure
            } else {
                Outcome::Success
            },
        );
    }
    assert_eq!(breaker.snapshot().state, State::Closed);
}

#[test]
fn slow_answers_open_it_too() {
    let (breaker, hands) = breaker();
    for _ in 0..10 {
        let pass = breaker.enter().ok().unwrap();
        hands.move_on(600);
        pass.finish(Outcome::Success);
    }
    assert_eq!(breaker.snapshot().state, State::Open);
}

#[test]
fn old_failures_fall_out_of_the_window() {
    let (breaker, hands) = breaker();
    (0..9).for_each(|_| assert!(call(&breaker, Outcome::Failure)));
    hands.move_on(10_001);
    (0..9).for_each(|_| assert!(call(&breaker, Outcome::Failure)));
    assert_eq!(breaker.snapshot().state, State::Closed);
}

#[test]
fn half_open_lets_exactly_the_probes_through() {
    let (breaker, hands) = broken();
    hands.move_on(1_999);
    assert!(breaker.enter().is_err());
    hands.move_on(1);
    let passes: Vec<_> = (0..20).filter_map(|_| breaker.enter().ok()).collect();
    assert_eq!((passes.len(), breaker.snapshot().state), (3, State::HalfOpen));
    passes.into_iter().for_each(|pass| pass.finish(Outcome::Success));
    assert_eq!(
        (breaker.snapshot().state, breaker.snapshot().closed),
        (State::Closed, 1)
    );
}

#[test]
fn many_threads_get_exactly_the_probes() {
    let (breaker, hands) = broken();
    hands.move_on(2_000);
    let through = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    if let Ok(pass) = breaker.enter() {
                        through.fetch_add(1, Ordering::SeqCst);
                        // Never finished: the probe is still under way when all threads have asked.
                        std::mem::forget(pass);
                    }
                }
            });
        }
    });
    assert_eq!(through.load(Ordering::SeqCst), 3);
}

#[test]
fn failed_probes_open_it_again() {
    let (breaker, hands) = broken();
    hands.move_on(2_000);
    call(&breaker, Outcome::Failure);
    assert_eq!(
        breaker.snapshot().state,
        State::HalfOpen,
        "one of three is below half"
    );
    call(&breaker, Outcome::Failure);
    assert_eq!(
        (breaker.snapshot().state, breaker.snapshot().opened),
        (State::Open, 2)
    );
}

#[test]
fn a_probe_given_up_leaves_its_place_to_another() {
    let (breaker, hands) = broken();
    hands.move_on(2_000);
    let passes: Vec<_> = (0..3).map(|_| breaker.enter().ok().unwrap()).collect();
    assert!(breaker.enter().is_err());
    drop(passes);
    assert!(breaker.enter().is_ok());
}

#[test]
fn a_call_from_before_has_no_say() {
    let (breaker, hands) = breaker();
    let late: Vec<_> = (0..10).map(|_| breaker.enter().ok().unwrap()).collect();
    (0..10).for_each(|_| assert!(call(&breaker, Outcome::Failure)));
    hands.move_on(2_000);
    let probe = breaker.enter().ok().unwrap();
    late.into_iter().for_each(|pass| pass.finish(Outcome::Failure));
    assert_eq!(breaker.snapshot().state, State::HalfOpen);
    probe.finish(Outcome::Success);
    assert_eq!(breaker.snapshot().state, State::HalfOpen);
}

#[test]
fn a_call_that_is_abandoned_counts_for_nothing() {
    let (breaker, hands) = breaker();
    (0..100).for_each(|_| assert!(call(&breaker, Outcome::Abandoned)));
    assert_eq!(breaker.snapshot().state, State::Closed);
    (0..10).for_each(|_| assert!(call(&breaker, Outcome::Failure)));
    hands.move_on(2_000);
    (0..100).for_each(|_| assert!(call(&breaker, Outcome::Abandoned)));
    assert_eq!(breaker.snapshot().state, State::HalfOpen);
}

#[test]
fn answers_of_no_use_open_it() {
    let (breaker, _) = breaker();
    for turn in 0..10 {
        assert_eq!(breaker.snapshot().state, State::Closed, "{turn}");
        assert!(call(&breaker, Outcome::Success));
        breaker.regret();
    }
    assert_eq!(breaker.snapshot().state, State::Open);
}

#[test]
fn settings_change_under_way() {
    let (breaker, hands) = broken();
    let off = Settings {
        enabled: false,
        ..breaker.settings()
    };
    breaker.change(off);
    (0..50).for_each(|_| assert!(call(&breaker, Outcome::Failure), "it is off"));
    assert_eq!(breaker.snapshot().state, State::Closed);
    let strict = Settings {
        enabled: true,
        min_calls: 2,
        open_for: Duration::from_secs(1),
        ..breaker.settings()
    };
    breaker.change(strict.clone());
    assert!(call(&breaker, Outcome::Failure), "what was counted is forgotten");
    assert!(call(&breaker, Outcome::Failure));
    assert!(!call(&breaker, Outcome::Success));
    breaker.change(Settings { probes: 1, ..strict });
    assert!(!call(&breaker, Outcome::Success), "an open one stays open");
    hands.move_on(1_000);
    assert!(call(&breaker, Outcome::Success));
    assert_eq!(breaker.snapshot().state, State::Closed, "one probe is enough now");
}

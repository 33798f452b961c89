//! The circuit breaker, by a clock that the test moves.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use baedal_order::outbound::payment::breaker::{Breaker, Clock, Outcome, Settings, State};
use proptest::prelude::*;

#[derive(Default)]
struct Hands(Mutex<Duration>);

impl Hands {
    fn move_on(&self, millis: u64) {
        *self.0.lock().unwrap() += Duration::from_millis(millis);
    }
}

impl Clock for Hands {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

fn breaker() -> (Breaker, Arc<Hands>) {
    let hands = Arc::new(Hands::default());
    let settings = Settings {
        min_calls: 10,
        probes: 3,
        ..Settings::default()
    };
    (Breaker::new(settings, hands.clone()), hands)
}

fn call(breaker: &Breaker, outcome: Outcome) -> bool {
    breaker.enter().map(|pass| pass.finish(outcome, ())).is_ok()
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
        pass.finish(Outcome::Success, ());
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
    passes
        .into_iter()
        .for_each(|pass| pass.finish(Outcome::Success, ()));
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
    late.into_iter()
        .for_each(|pass| pass.finish(Outcome::Failure, ()));
    assert_eq!(breaker.snapshot().state, State::HalfOpen);
    probe.finish(Outcome::Success, ());
    assert_eq!(breaker.snapshot().state, State::HalfOpen);
}

proptest! {
    /// Against the law itself: while half-open never more than the probes are under way, while open none gets through.
    #[test]
    fn it_never_lets_more_through_than_it_may(steps in prop::collection::vec((0..4_u8, 0..1_500_u64), 1..400)) {
        let (breaker, hands) = breaker();
        let mut under_way = Vec::new();
        let mut probes = 0;
        for (step, millis) in steps {
            let before = breaker.snapshot();
            match step {
                0 => hands.move_on(millis),
                1 => match breaker.enter() {
                    Ok(pass) => {
                        let after = breaker.snapshot();
                        probes = if after.state != State::HalfOpen { 0 } else if before.state == State::HalfOpen { probes + 1 } else { 1 };
                        prop_assert!(after.state != State::Open);
                        prop_assert!(probes <= 3);
                        under_way.push(pass);
                    }
                    Err(rejected) => {
                        prop_assert!(breaker.snapshot().state != State::Closed);
                        prop_assert!(rejected.retry_after <= Duration::from_secs(2));
                    }
                },
                _ => if let Some(pass) = under_way.pop() {
                    pass.finish(if step == 2 { Outcome::Success } else { Outcome::Failure }, ());
                },
            }
        }
    }
}

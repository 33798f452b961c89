//! Budget, pauses, rotation, rates.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use baedal_traffic::{Budget, Clock, Outcome, Rates, Rotation, breaker, budget, rate, retry};

use crate::Hands;

#[test]
fn a_budget_is_a_share_of_the_calls_and_a_few_more() {
    let hands = Hands::new();
    let settings = budget::Settings {
        share: 0.2,
        per_second: 1.0,
    };
    let budget = Budget::new(settings, hands.clone());
    let spent = |most| (0..most).filter(|_| budget.withdraw()).count();
    assert_eq!(spent(100), 10, "one per second for ten seconds");
    (0..100).for_each(|_| budget.deposit());
    assert_eq!(spent(100), 20);
    hands.move_on(11_000);
    assert_eq!(spent(100), 10, "the calls of then earn nothing any more");
    budget.change(budget::Settings {
        share: 0.0,
        per_second: 0.0,
    });
    hands.move_on(11_000);
    assert_eq!(spent(100), 0);
}

#[test]
fn pauses_double_have_full_jitter_and_heed_the_other_side() {
    let settings = retry::Settings {
        attempts: 3,
        pause: Duration::from_millis(100),
        longest: Duration::from_millis(300),
        ..retry::Settings::default()
    };
    let millis = |attempt, draw, asked: Option<u64>| {
        let pause = settings.pause(attempt, draw, asked.map(Duration::from_millis));
        pause.map(|pause| pause.as_millis())
    };
    assert_eq!(millis(0, 0.0, None), Some(0));
    assert_eq!(millis(0, 1.0, None), Some(100));
    assert_eq!(millis(1, 0.5, None), Some(100));
    assert_eq!(millis(2, 1.0, None), Some(300), "no longer than the longest");
    assert_eq!(millis(3, 0.0, None), None, "three times is enough");
    assert_eq!(millis(0, 0.0, Some(250)), Some(250));
    assert_eq!(millis(0, 0.0, Some(301)), None, "it asks for too long a pause");
}

#[test]
fn a_place_that_is_down_is_left_out_and_found_again() {
    let hands = Hands::new();
    let clock: Arc<dyn Clock> = hands.clone();
    let names = ["a", "b", "c"].map(str::to_owned);
    let rotation = Rotation::new(&names, &breaker::Settings::default(), &clock);
    let mut calls = [0; 3];
    let round = |down: usize, calls: &mut [usize; 3]| {
        let pick = rotation.pick().unwrap();
        calls[pick.index] += 1;
        let outcome = if pick.index == down {
            Outcome::Failure
        } else {
            Outcome::Success
        };
        pick.finish(outcome);
    };
    (0..300).for_each(|_| round(1, &mut calls));
    assert!(calls[1] < 10 && calls[0] > 100 && calls[2] > 100, "{calls:?}");
    assert_eq!(calls.iter().sum::<usize>(), 300);
    hands.move_on(5_000);
    calls = [0; 3];
    (0..300).for_each(|_| round(9, &mut calls));
    assert!(calls.iter().all(|calls| *calls > 80), "{calls:?}");
}

#[test]
fn with_all_places_down_none_is_picked() {
    let clock: Arc<dyn Clock> = Hands::new();
    let names = ["a", "b"].map(str::to_owned);
    let rotation = Rotation::new(&names, &breaker::Settings::default(), &clock);
    while let Ok(pick) = rotation.pick() {
        pick.finish(Outcome::Failure);
    }
    let rejected = rotation.pick().err().unwrap();
    assert_eq!(rejected.retry_after, Duration::from_secs(5));
    let one = Rotation::new(&names[..1], &breaker::Settings::default(), &clock);
    for _ in 0..100 {
        let pick = one.pick().unwrap();
        assert_eq!(pick.index, 0);
        pick.finish(Outcome::Failure);
    }
    assert!(one.pick().is_ok(), "one place has no breaker of its own");
}

fn rates(hands: &Arc<Hands>, keys: u64) -> Rates<&'static str> {
    let settings = rate::Settings {
        count: NonZeroU32::MIN.saturating_add(9),
        per: Duration::from_secs(1),
        burst: NonZeroU32::MIN.saturating_add(2),
        keys,
    };
    Rates::new(settings, hands.clone())
}

#[test]
fn each_key_has_its_own_rate() {
    let hands = Hands::new();
    let rates = rates(&hands, 100);
    for key in ["a", "b"] {
        (0..3).for_each(|_| assert_eq!(rates.check(key), Ok(())));
        assert_eq!(rates.check(key), Err(Duration::from_millis(100)));
    }
    hands.move_on(100);
    assert_eq!(rates.check("a"), Ok(()));
    assert!(rates.check("a").is_err());
    hands.move_on(10_000);
    (0..3).for_each(|_| assert_eq!(rates.check("a"), Ok(())));
    assert!(
        rates.check("a").is_err(),
        "no more at once than the burst, after however long"
    );
}

#[test]
fn a_key_in_use_is_remembered_however_many_others_come() {
    let hands = Hands::new();
    let rates = rates(&hands, 50);
    let keys: Vec<&'static str> = (0..1_000)
        .map(|number: usize| &*Box::leak(number.to_string().into_boxed_str()))
        .collect();
    let refused = keys.iter().filter(|key| {
        let _ = rates.check(key);
        rates.check("greedy").is_err()
    });
    assert_eq!(refused.count(), 997);
}

//! The breaker against a model of it that is slow and plain: a list of all calls, counted anew at every step.

use std::time::Duration;

use baedal_traffic::breaker::{Settings, State};
use baedal_traffic::{Breaker, Outcome, Pass};
use proptest::prelude::*;

use crate::Hands;

const BUCKET: u64 = 1_000;
const SLOW: u64 = 600;
const OPEN_FOR: u64 = 2_000;
const MIN_CALLS: usize = 6;
const PROBES: usize = 3;

fn settings() -> Settings {
    Settings {
        enabled: true,
        window: Duration::from_millis(10 * BUCKET),
        min_calls: MIN_CALLS as u32,
        failure_rate: 0.5,
        slow_call: Duration::from_millis(SLOW),
        slow_rate: 0.8,
        open_for: Duration::from_millis(OPEN_FOR),
        probes: PROBES as u32,
    }
}

/// What the breaker should be, with everything that ever happened.
#[derive(Default)]
struct Model {
    now: u64,
    /// Rises with every change of state.
    era: usize,
    phase: Phase,
}

#[derive(Default)]
enum Phase {
    #[default]
    New,
    Closed(Vec<Call>),
    Open(u64),
    HalfOpen {
        out: usize,
        ended: Vec<Call>,
    },
}

#[derive(Clone, Copy)]
struct Call {
    ended: u64,
    failed: bool,
    slow: bool,
}

/// A call under way: of which era, and since when.
#[derive(Clone, Copy)]
struct Token {
    era: usize,
    began: u64,
}

impl Model {
    fn become_(&mut self, phase: Phase) {
        self.era += 1;
        self.phase = phase;
    }

    fn state(&self) -> State {
        match self.phase {
            Phase::New | Phase::Closed(_) => State::Closed,
            Phase::Open(_) => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    fn enter(&mut self) -> Option<Token> {
        if let Phase::Open(since) = self.phase
            && self.now >= since + OPEN_FOR
        {
            self.become_(Phase::HalfOpen {
                out: 0,
                ended: Vec::new(),
            });
        }
        let may = match &mut self.phase {
            Phase::New | Phase::Closed(_) => true,
            Phase::Open(_) => false,
            Phase::HalfOpen { out, ended } => {
                let may = *out + ended.len() < PROBES;
                *out += usize::from(may);
                may
            }
        };
        may.then_some(Token {
            era: self.era,
            began: self.now,
        })
    }

    fn finish(&mut self, token: Token, outcome: Outcome) {
        if token.era != self.era {
            return;
        }
        let now = self.now;
        let call = Call {
            ended: now,
            failed: outcome == Outcome::Failure,
            slow: now - token.began >= SLOW,
        };
        let gone = outcome == Outcome::Abandoned;
        match &mut self.phase {
            Phase::HalfOpen { out, .. } if gone => *out -= 1,
            _ if gone => {}
            Phase::HalfOpen { out, ended } => {
                *out -= 1;
                ended.push(call);
                let bad = ended.iter().filter(|call| call.failed || call.slow).count();
                if bad * 2 >= PROBES {
                    self.become_(Phase::Open(now));
                } else if ended.len() == PROBES {
                    self.become_(Phase::Closed(Vec::new()));
                }
            }
            Phase::Closed(calls) => {
                calls.push(call);
                let recent = |call: &&Call| call.ended / BUCKET + 10 > now / BUCKET;
                let calls: Vec<_> = calls.iter().filter(recent).collect();
                let failed = calls.iter().filter(|call| call.failed).count();
                let slow = calls.iter().filter(|call| call.slow).count();
                let too_many = failed * 2 >= calls.len() || slow * 10 >= calls.len() * 8;
                if calls.len() >= MIN_CALLS && too_many {
                    self.become_(Phase::Open(now));
                }
            }
            Phase::New | Phase::Open(_) => unreachable!("a token of this era was given out"),
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Enter,
    /// The call under way of this number (modulo how many there are) ends.
    Finish(usize, Outcome),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![
        3 => Just(Outcome::Success),
        3 => Just(Outcome::Failure),
        1 => Just(Outcome::Abandoned)
    ];
    let step = prop_oneof![
        2 => (0..900_u64).prop_map(Step::Wait),
        1 => (0..3_000_u64).prop_map(Step::Wait),
        8 => Just(Step::Enter),
        8 => (0..50_usize, outcome).prop_map(|(number, outcome)| Step::Finish(number, outcome)),
    ];
    prop::collection::vec(step, 1..250)
}

/// Runs both, and says at which step they differ. `enabled` off is the sabotage.
fn run(steps: &[Step], enabled: bool) -> Result<(), String> {
    let hands = Hands::new();
    let breaker = Breaker::new(
        "model",
        Settings {
            enabled,
            ..settings()
        },
        hands.clone(),
    );
    let mut model = Model {
        phase: Phase::Closed(Vec::new()),
        ..Model::default()
    };
    let mut under_way: Vec<(Pass<'_>, Token)> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Wait(millis) => {
                hands.move_on(*millis);
                model.now += millis;
            }
            Step::Enter => match (breaker.enter(), model.enter()) {
                (Ok(pass), Some(token)) => under_way.push((pass, token)),
                (Err(rejected), None) => {
                    if rejected.retry_after > Duration::from_millis(OPEN_FOR) {
                        return Err(format!("step {number}: {rejected:?}"));
                    }
                }
                (pass, token) => {
                    return Err(format!(
                        "step {number}: let in {}, should be {}",
                        pass.is_ok(),
                        token.is_some()
                    ));
                }
            },
            Step::Finish(which, outcome) if !under_way.is_empty() => {
                let (pass, token) = under_way.swap_remove(which % under_way.len());
                pass.finish(*outcome);
                model.finish(token, *outcome);
            }
            Step::Finish(..) => {}
        }
        let (state, wanted) = (breaker.snapshot().state, model.state());
        if state != wanted {
            return Err(format!("step {number}: {state:?}, should be {wanted:?}"));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_is_what_its_model_is(steps in steps()) {
        prop_assert_eq!(run(&steps, true), Ok(()));
    }
}

#[test]
fn a_breaker_that_never_opens_is_found_out() {
    let steps: Vec<_> = (0..MIN_CALLS)
        .flat_map(|_| [Step::Enter, Step::Finish(0, Outcome::Failure)])
        .collect();
    assert_eq!(run(&steps, true), Ok(()));
    assert!(run(&steps, false).is_err(), "sabotage");
}

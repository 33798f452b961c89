//! The open model: requests come when they come (a Poisson process), whether or not others have been answered.
use std::future::Future;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;

use super::{Outcome, Report, Turn};

/// How many requests a second, for how long.
#[derive(Debug, Clone)]
pub struct Open {
    /// Mean arrivals a second.
    pub rate: f64,
    /// No request is due after this long.
    pub lasts: Duration,
    /// What everything random comes from.
    pub seed: u64,
}

/// Runs the load; `send` sends one request. Latencies count from when a request was due.
pub async fn open<F, S>(load: &Open, send: F) -> Report
where
    F: Fn(Turn) -> S + Clone + Send + Sync + 'static,
    S: Future<Output = Outcome> + Send + 'static,
{
    let mut dice = StdRng::seed_from_u64(load.seed);
    let start = Instant::now();
    let mut due = Duration::ZERO;
    let (mut under_way, mut whole) = (JoinSet::new(), Report::default());
    for user in 0.. {
        due += pause(&mut dice, load.rate);
        if due >= load.lasts {
            break;
        }
        tokio::time::sleep_until((start + due).into()).await;
        let turn = Turn {
            user,
            number: 0,
            dice: StdRng::seed_from_u64(dice.random()),
        };
        let send = send.clone();
        under_way.spawn(async move {
            let outcome = send(turn).await;
            (outcome, (start + due).elapsed())
        });
        while let Some(answered) = under_way.try_join_next() {
            count(&mut whole, answered);
        }
    }
    while let Some(answered) = under_way.join_next().await {
        count(&mut whole, answered);
    }
    whole.took = start.elapsed();
    whole
}

type Answered = Result<(Outcome, Duration), tokio::task::JoinError>;

fn count(whole: &mut Report, answered: Answered) {
    let (outcome, took) = answered.expect("a request of the load does not panic");
    whole.count(&outcome.code, took);
}

/// The time between two arrivals of a Poisson process.
fn pause(dice: &mut StdRng, rate: f64) -> Duration {
    let uniform: f64 = dice.random();
    Duration::from_secs_f64(-(1.0 - uniform).ln() / rate)
}

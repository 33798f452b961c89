//! The closed model: users who wait for an answer before they send again.
use std::future::Future;
use std::ops::Range;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Outcome, Report, Turn};

/// How many users, for how long.
#[derive(Debug, Clone)]
pub struct Closed {
    /// Users at once.
    pub users: usize,
    /// No request begins after this long.
    pub lasts: Duration,
    /// How long a user thinks between an answer and the next request.
    pub think: Range<Duration>,
    /// What everything random comes from.
    pub seed: u64,
}

/// Runs the load until its time is over or it is stopped; `send` sends one request.
pub async fn closed<F, S>(load: &Closed, stop: &CancellationToken, send: F) -> Report
where
    F: Fn(Turn) -> S + Clone + Send + Sync + 'static,
    S: Future<Output = Outcome> + Send + 'static,
{
    let start = Instant::now();
    let mut users = JoinSet::new();
    for user in 0..load.users {
        let clock = Clock {
            start,
            stop: stop.clone(),
        };
        users.spawn(one_user(user, clock, load.clone(), send.clone()));
    }
    let mut whole = Report::default();
    while let Some(report) = users.join_next().await {
        whole.add(&report.expect("a user of the load does not panic"));
    }
    whole.took = start.elapsed();
    whole
}

/// When it is over.
struct Clock {
    start: Instant,
    stop: CancellationToken,
}

async fn one_user<F, S>(user: usize, clock: Clock, load: Closed, send: F) -> Report
where
    F: Fn(Turn) -> S,
    S: Future<Output = Outcome>,
{
    let mut dice = StdRng::seed_from_u64(load.seed ^ ((user as u64 + 1) << 20));
    let mut report = Report::default();
    // Not all at the same moment: users come within the first time they would think.
    tokio::time::sleep(draw(&mut dice, &(Duration::ZERO..load.think.end))).await;
    for number in 0.. {
        if clock.stop.is_cancelled() || clock.start.elapsed() >= load.lasts {
            break;
        }
        let turn = Turn {
            user,
            number,
            dice: StdRng::seed_from_u64(dice.random()),
        };
        let sent = Instant::now();
        let outcome = send(turn).await;
        report.count(&outcome.code, sent.elapsed());
        let pause = draw(&mut dice, &load.think) + outcome.retry_after.unwrap_or_default();
        let left = load.lasts.saturating_sub(clock.start.elapsed());
        if !pause.is_zero() {
            let resting = tokio::time::sleep(pause.min(left));
            clock.stop.run_until_cancelled(resting).await;
        }
    }
    report
}

fn draw(dice: &mut StdRng, range: &Range<Duration>) -> Duration {
    if range.end <= range.start {
        return range.start;
    }
    range.start + (range.end - range.start).mul_f64(dice.random::<f64>())
}

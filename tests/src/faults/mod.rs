//! Faults made on purpose, and what must hold all the same.
//!
//! The kit: [`fleet`] (processes that die, at random or at a named point), [`proxy`] (a network that misbehaves),
//! [`load`] (customers who remember what they were told), [`random`] (moments from a seed). [`experiments`] holds one
//! experiment each: its fault, its invariant, and the safety net whose removal must make it fail. Every experiment ends
//! with the ledger audit. `cargo xtask faults` runs them; [`report`] says what came of it.
pub mod experiments;
pub mod fleet;
pub mod gateway;
pub mod load;
pub mod proxy;
pub mod random;
pub mod report;
pub mod server;
pub mod torn;

use std::fmt;
use std::time::Duration;

use anyhow::{Error, Result, anyhow};
use baedal::settings::Settings;
use futures_util::future::BoxFuture;

use crate::audit::{self, Ledger, SETTLED};
use load::Tally;

/// How an experiment is run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The platform's program.
    pub program: String,
    /// What every moment and choice comes from.
    pub seed: u64,
    /// How often the fault is made.
    pub runs: u32,
    /// Run with the safety net off: the experiment must fail.
    pub sabotage: bool,
    /// Also hold the bounds of time, which a busy machine may miss without any fault of the platform.
    pub timed: bool,
}

/// What was measured, in words.
pub type Facts = Vec<String>;

/// One experiment.
#[derive(Clone, Copy)]
pub struct Experiment {
    /// Name on the command line.
    pub name: &'static str,
    /// What goes wrong.
    pub fault: &'static str,
    /// What must hold.
    pub invariant: &'static str,
    /// The safety net that `--sabotage` takes away.
    pub net: &'static str,
    /// How often the fault is made: in `cargo test`, and in the long form.
    pub runs: (u32, u32),
    /// Whether it needs real MongoDB, Postgres and Kafka.
    pub servers: bool,
    /// Runs it.
    pub run: fn(Plan) -> BoxFuture<'static, Result<Facts>>,
}

/// An invariant did not hold: the platform's fault, not the experiment's.
#[derive(Debug)]
pub struct Violated(pub String);

impl fmt::Display for Violated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Violated {}

/// An error unless the condition holds.
///
/// # Errors
/// [`Violated`], in these words.
pub fn must(holds: bool, words: impl FnOnce() -> String) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(Violated(words()).into()),
    }
}

impl Plan {
    /// A measured time with its bound, in words; where times are held to, an error if it is longer.
    ///
    /// # Errors
    /// [`Violated`].
    pub fn bound(&self, what: &str, took: Duration, bound: Duration) -> Result<String> {
        let words = format!("{what} {took:.1?} (bound {bound:?})");
        must(!self.timed || took <= bound, || words.clone())?;
        Ok(words)
    }

    /// How long to wait for what should happen within `bound`.
    pub fn patience(&self, bound: Duration) -> Duration {
        match (self.sabotage, self.timed) {
            (true, _) | (_, true) => bound,
            _ => bound.max(Duration::from_secs(60)),
        }
    }

    /// The variables of every process.
    pub fn variables(&self, net: &str) -> Vec<(&'static str, String)> {
        match self.sabotage {
            true => vec![("BAEDAL_SABOTAGE", net.to_owned())],
            false => Vec::new(),
        }
    }

    /// The common check: the ledger audit, in its bound of time, and that no key made two orders.
    ///
    /// # Errors
    /// [`Violated`], with what is wrong.
    pub async fn audit(&self, settings: &Settings, tally: &Tally) -> Result<Ledger> {
        tally.sound()?;
        let ledger = audit::audit(settings, &tally.orders(), self.patience(SETTLED))
            .await
            .map_err(|error| Violated(format!("{error:#}")))?;
        must(ledger.orders.len() <= tally.keys, || {
            format!("{} orders of {} keys", ledger.orders.len(), tally.keys)
        })?;
        Ok(ledger)
    }
}

/// Runs an experiment; with sabotage, success means that the invariant was seen to break.
///
/// # Errors
/// The invariant did not hold; under sabotage: it did; or the experiment itself failed.
pub async fn run(experiment: &Experiment, plan: Plan) -> Result<Facts> {
    let (sabotage, seed) = (plan.sabotage, plan.seed);
    let outcome = (experiment.run)(plan).await;
    let outcome = outcome.map_err(|error| error.context(format!("{}, seed {seed}", experiment.name)));
    match (sabotage, outcome) {
        (false, outcome) => outcome,
        (true, Ok(_)) => Err(anyhow!(
            "{} stays green without {}: it shows nothing",
            experiment.name,
            experiment.net
        )),
        (true, Err(error)) => red(error),
    }
}

/// An error of the platform is what sabotage is for; one of the experiment is not.
fn red(error: Error) -> Result<Facts> {
    match error.downcast_ref::<Violated>() {
        Some(violated) => {
            let line = violated.0.lines().last().unwrap_or_default();
            Ok(vec![format!("red as it must be: {line}")])
        }
        None => Err(error),
    }
}

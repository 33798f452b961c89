//! The acceptance scenarios of the platform as commands (`cargo xtask scenario`): each starts a platform, does what it
//! says, and gives a [`Verdict`]: a table, checks against the numbers of the specification, and the ledger audit.
//!
//! Numbers about speed are demanded of the long forms only; what is about logic (states, counts, order) of both.
mod options;
mod orders;
mod overload;
mod review;
mod t1;
mod t2;
mod t3;
mod t4;
mod t5;
mod t6;
mod verdict;

use anyhow::Result;
use clap::ValueEnum;

pub use options::{Options, machine};
pub use verdict::{Check, Verdict};

/// A scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Orders are taken while the store is down.
    T1,
    /// No payment, no order.
    T2,
    /// Payment is slow.
    T3a,
    /// Payment is slow and serves ten at once; a bulkhead stands before it.
    T3b,
    /// The same without the bulkhead: the circuit breaker acts.
    T3c,
    /// A rolling restart of everything.
    T4,
    /// More replicas of payment.
    T5,
    /// Consumers, replicas, views, liveness, contracts.
    T6,
    /// More requests than there is room for.
    Overload,
    /// A fifth service in another language comes and goes.
    Review,
}

impl Scenario {
    /// Its name on the command line and of its result.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::T1 => "t1",
            Scenario::T2 => "t2",
            Scenario::T3a => "t3a",
            Scenario::T3b => "t3b",
            Scenario::T3c => "t3c",
            Scenario::T4 => "t4",
            Scenario::T5 => "t5",
            Scenario::T6 => "t6",
            Scenario::Overload => "overload",
            Scenario::Review => "review",
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// The platform does not start, or the scenario cannot be carried through; a missed number is no error but a check
    /// that failed.
    pub async fn run(self, options: &Options) -> Result<Verdict> {
        match self {
            Scenario::T1 => t1::run(options).await,
            Scenario::T2 => t2::run(options).await,
            Scenario::T3a => t3::unlimited(options).await,
            Scenario::T3b => t3::bulkhead(options).await,
            Scenario::T3c => t3::breaker(options).await,
            Scenario::T4 => t4::run(options).await,
            Scenario::T5 => t5::run(options).await,
            Scenario::T6 => t6::run(options).await,
            Scenario::Overload => overload::run(options).await,
            Scenario::Review => review::run(options).await,
        }
    }
}

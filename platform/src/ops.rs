//! `baedal ops`: the operator's view, through the gateway.
//!
//! Each service answers for itself, so that one that is down hides nothing of the others. What people read is a table;
//! with `--json` it is what the gateway answered. Exit codes: 0 all is well, 1 the question could not be asked, 2 the
//! command line is wrong, 3 there is something to look after.
mod args;
mod breakers;
mod client;
mod letters;
mod orders;
mod services;
mod table;

use std::process::ExitCode;

use anyhow::Result;

pub use args::Ops;
use args::{Command, Letters};
use client::Gateway;

/// There is something to look after.
const ATTENTION: u8 = 3;

/// What a command found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Nothing to do.
    Well,
    /// Something to look after.
    Attention,
}

impl Found {
    fn attention(needed: bool) -> Found {
        match needed {
            true => Found::Attention,
            false => Found::Well,
        }
    }

    fn and(self, other: Found) -> Found {
        Found::attention(self == Found::Attention || other == Found::Attention)
    }
}

/// Runs the command and prints what it found.
///
/// # Errors
/// No token, no gateway, or an answer that is none; with what to do.
pub async fn run(ops: &Ops) -> Result<ExitCode> {
    let gateway = Gateway::of(&ops.access).await?;
    let found = match &ops.command {
        Command::Status => status(&gateway, ops.json).await?,
        Command::Orders(asked) => orders::stuck(&gateway, asked, ops.json).await?,
        Command::Outbox => services::outbox(&gateway, ops.json).await?,
        Command::Breakers => breakers::show(&gateway, ops.json).await?,
        Command::DeadLetters {
            command: None,
            listed,
        } => letters::list(&gateway, listed, ops.json).await?,
        Command::DeadLetters {
            command: Some(Letters::Redrive(chosen)),
            ..
        } => letters::redrive(&gateway, chosen, ops.json).await?,
        Command::DeadLetters {
            command: Some(Letters::Discard { ids }),
            ..
        } => letters::discard(&gateway, ids, ops.json).await?,
    };
    Ok(match found {
        Found::Well => ExitCode::SUCCESS,
        Found::Attention => ExitCode::from(ATTENTION),
    })
}

/// Everything at once, shortly.
async fn status(gateway: &Gateway, json: bool) -> Result<Found> {
    if json {
        return services::status(gateway, true).await;
    }
    let services = services::status(gateway, false).await?;
    println!();
    let orders = orders::count(gateway).await?;
    println!();
    let breakers = breakers::show(gateway, false).await?;
    Ok(services.and(orders).and(breakers))
}

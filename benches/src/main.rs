//! The `baedal-bench` binary: the run, and the servers it starts as processes of their own.

use anyhow::Result;
use baedal_benches::limits::{self, LimitArgs};
use baedal_benches::reload::{self, ReloadArgs};
use baedal_benches::replay::{self, ReplayArgs};
use baedal_benches::run::{self, RunArgs};
use baedal_benches::streams::{self, StreamArgs};
use baedal_benches::subgraphs;
use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "baedal-bench", about = "Measures the gateway")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, and print a table.
    Run(RunArgs),
    /// Run the executor alone, over recorded answers.
    Replay(ReplayArgs),
    /// Subscriptions of many clients, and print a table.
    Streams(StreamArgs),
    /// Changes of schema and configuration under load, and print a table.
    Reload(ReloadArgs),
    /// The subgraphs.
    Subgraphs,
    /// A plain server of recorded bytes.
    Bytes(LimitArgs),
    /// A server that makes the recorded calls and gives the recorded bytes.
    Calls(LimitArgs),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Run(arguments) => run::run(arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Streams(arguments) => streams::run(arguments),
        Command::Reload(arguments) => reload::run(arguments),
        Command::Subgraphs => subgraphs::run(),
        Command::Bytes(arguments) => limits::bytes(&arguments),
        Command::Calls(arguments) => limits::calls(&arguments),
    }
}

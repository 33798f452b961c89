//! `cargo xtask bench …`: measures, and compares with the figures kept in `docs/results/`.
mod executor;
mod gateway;
mod growth;
mod plans;

use anyhow::Result;
use clap::{Args, Subcommand};

#[derive(Args)]
pub struct Bench {
    #[command(subcommand)]
    only: Option<Only>,
}

#[derive(Subcommand)]
enum Only {
    /// Steps, fetches and query bytes of the plans of all cases; fails where one got worse.
    Plans {
        /// Keep the new figures, also where they are worse.
        #[arg(long)]
        accept: bool,
    },
    /// Reading, merging and writing in the executor, in MB/s, next to JSON libraries in the same run.
    ///
    /// Prints the table and keeps it in docs/results/executor.md.
    Executor,
    /// How cost grows with bytes received, entities, fields, fetches and subgraphs, in the planner and the executor.
    ///
    /// Prints tables with the ratio for each doubling and keeps them in docs/results/growth.md.
    Growth {
        /// The profile everything is built with.
        #[arg(long, default_value = "release")]
        profile: String,
    },
    /// Processor time, latency and memory of the gateway under load, next to what is possible.
    ///
    /// Prints the table; without arguments it is also kept in docs/results/gateway.md.
    Gateway {
        /// The profile everything is built with.
        #[arg(long, default_value = "release")]
        profile: String,
        /// Which part: `--class a|b`, `--size small|medium|big`, `--varied …`, `--seconds 5`, `--rounds 3`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

impl Bench {
    pub fn run(self) -> Result<()> {
        match self.only {
            Some(Only::Plans { accept }) => plans::run(accept),
            Some(Only::Executor) => executor::run(),
            Some(Only::Growth { profile }) => growth::run(&profile),
            Some(Only::Gateway { profile, arguments }) => gateway::run(&profile, &arguments),
            None => {
                gateway::run("release", &[])?;
                executor::run()?;
                plans::run(false)
            }
        }
    }
}

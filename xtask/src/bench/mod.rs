//! `cargo xtask bench …`: measures, and compares with the figures kept in `docs/results/`.
mod plans;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Bench {
    /// Steps, fetches and query bytes of the plans of all cases; fails where one got worse.
    Plans {
        /// Keep the new figures, also where they are worse.
        #[arg(long)]
        accept: bool,
    },
}

impl Bench {
    pub fn run(self) -> Result<()> {
        match self {
            Bench::Plans { accept } => plans::run(accept),
        }
    }
}

//! `cargo xtask streams`: builds the gateway and the load, and lets it run.
use anyhow::{Context, Result};
use clap::Args;

use crate::run::{cargo, root, shown};

const KEPT: &str = "docs/results/streams.md";

#[derive(Args)]
pub struct Streams {
    /// How many clients subscribe.
    #[arg(long, default_value_t = 10_000)]
    clients: usize,
    /// How long events are fanned out.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// The profile everything is built with.
    #[arg(long, default_value = "release")]
    profile: String,
    /// More for the load: `--rate 100`, `--topics 100`, `--slow 100`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Streams {
    pub fn run(self) -> Result<()> {
        let Streams {
            clients,
            seconds,
            profile,
            arguments,
        } = self;
        let crates = ["-p", "baedal-router", "-p", "baedal-benches"];
        shown(cargo().args(["build", "--profile", &profile]).args(crates))?;
        let folder = if profile == "dev" { "debug" } else { &profile };
        let own = std::env::current_exe()?;
        let target = own.parent().and_then(|folder| folder.parent());
        let built = target
            .context("this program lies in a target folder")?
            .join(folder);
        let mut load = std::process::Command::new(built.join("baedal-bench"));
        load.current_dir(root()).arg("streams");
        load.arg("--gateway").arg(built.join("baedal-router"));
        load.args([
            "--clients",
            &clients.to_string(),
            "--seconds",
            &seconds.to_string(),
        ]);
        shown(load.args(["--out", KEPT]).args(arguments))
    }
}

//! `cargo xtask reload`: builds the gateway and the load, and lets it run.
use anyhow::{Context, Result};
use clap::Args;

use crate::run::{cargo, root, shown};

const KEPT: &str = "docs/results/reload.md";

#[derive(Args)]
pub struct Reload {
    /// Changes that are looked at second by second.
    #[arg(long, default_value_t = 100)]
    changes: usize,
    /// The profile everything is built with.
    #[arg(long, default_value = "release")]
    profile: String,
    /// More for the load: `--more 900`, `--rate 1000`, `--subscribers 1000`, `--topics 50`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Reload {
    pub fn run(self) -> Result<()> {
        let Reload {
            changes,
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
        load.current_dir(root()).arg("reload");
        load.arg("--gateway").arg(built.join("baedal-router"));
        load.args(["--changes", &changes.to_string(), "--out", KEPT]);
        shown(load.args(arguments))
    }
}

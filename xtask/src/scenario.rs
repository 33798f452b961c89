//! `cargo xtask scenario`: the acceptance scenarios, with the real programs on real servers.
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::review::{self, REVIEW_PYTHON};
use crate::run::{cargo, root, shown};
use crate::servers::Servers;

/// Programs of the platform, by package.
const PROGRAMS: [&str; 6] = [
    "baedal-auth",
    "baedal-order",
    "baedal-payment",
    "baedal-store",
    "baedal-marketing",
    "baedal-router",
];
/// The program that runs scenarios.
const RUNNER: &str = "baedal-scenario";
/// Scenarios in the order in which `all` runs them, and those of `t3`.
const ALL: [&str; 10] = [
    "t1", "t2", "t3a", "t3b", "t3c", "t4", "t5", "t6", "overload", "review",
];
const T3: [&str; 3] = ["t3a", "t3b", "t3c"];

/// Options of the command.
#[derive(Args)]
pub struct Scenario {
    /// t1, t2, t3 (or t3a, t3b, t3c), t4, t5, t6, overload, review, or all of them.
    name: String,
    /// Less load; numbers about speed are not demanded, and no result is kept.
    #[arg(long)]
    short: bool,
    /// What everything random comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Users at once, when not the scenario's own number.
    #[arg(long)]
    users: Option<usize>,
    /// Seconds of load, when not the scenario's own.
    #[arg(long)]
    seconds: Option<u64>,
    /// On SQLite and the embedded event log: no servers are needed.
    #[arg(long)]
    embedded: bool,
}

impl Scenario {
    /// Builds the programs (optimised, but quickly: profile `load`), starts the servers, runs, and keeps the results of
    /// long forms in docs/results/scenarios.
    pub fn run(&self) -> Result<()> {
        let programs = build()?;
        let servers = match self.embedded {
            true => None,
            false => Some(Servers::start()?),
        };
        let mut command = Command::new(programs.join(RUNNER));
        command
            .current_dir(root())
            .args(self.scenarios())
            .arg("--programs")
            .arg(&programs);
        command.args(["--seed", &self.seed.to_string(), "--command", &self.typed()]);
        for (name, value) in [
            ("--users", self.users.map(|users| users as u64)),
            ("--seconds", self.seconds),
        ] {
            if let Some(value) = value {
                command.args([name, &value.to_string()]);
            }
        }
        for (name, wanted) in [("--short", self.short), ("--embedded", self.embedded)] {
            if wanted {
                command.arg(name);
            }
        }
        if !self.short {
            command
                .arg("--results")
                .arg(root().join("docs/results/scenarios"));
        }
        if self.scenarios().contains(&"review") {
            command.env(REVIEW_PYTHON, review::python()?);
        }
        if let Some(servers) = &servers {
            command.envs(servers.environment());
        }
        shown(&mut command)
    }

    fn scenarios(&self) -> Vec<&str> {
        match self.name.as_str() {
            "all" => ALL.to_vec(),
            "t3" => T3.to_vec(),
            name => vec![name],
        }
    }

    /// The command as it can be typed again.
    fn typed(&self) -> String {
        let mut text = format!("cargo xtask scenario {} --seed {}", self.name, self.seed);
        if let Some(users) = self.users {
            text += &format!(" --users {users}");
        }
        if let Some(seconds) = self.seconds {
            text += &format!(" --seconds {seconds}");
        }
        for (flag, wanted) in [(" --short", self.short), (" --embedded", self.embedded)] {
            text += if wanted { flag } else { "" };
        }
        text
    }
}

/// The folder of the programs.
fn build() -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--locked", "--profile", "load"]);
    for program in PROGRAMS {
        command.args(["--package", program]);
    }
    command.args(["--package", "baedal-tests"]);
    for program in PROGRAMS.iter().chain(&[RUNNER]) {
        command.args(["--bin", program]);
    }
    shown(&mut command)?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(root().join(target).join("load"))
}

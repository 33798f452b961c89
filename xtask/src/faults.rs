//! `cargo xtask faults`: builds the platform and the experiments, and lets them run; the real servers are started only
//! for experiments that need them.
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{cargo, root, shown};
use crate::servers::Servers;

const KEPT: &str = "docs/results/faults.md";
/// Experiments that do without real servers have none of these words in their names.
const ON_SERVERS: [&str; 4] = ["all", "kafka", "mongo", "postgres"];

/// Runs the experiments of `arguments`; a whole run is kept.
pub fn run(arguments: &[String]) -> Result<()> {
    shown(cargo().args(["build", "--locked", "-p", "baedal-tests", "--bins"]))?;
    let name = arguments.first().filter(|first| !first.starts_with("--"));
    let name = name.map_or("all", String::as_str);
    let servers = match ON_SERVERS.iter().any(|word| name.contains(word)) {
        true => Some(Servers::start()?),
        false => None,
    };
    let built = std::env::current_exe()?;
    let built = built.parent().context("this program lies in a target folder")?;
    let mut faults = Command::new(built.join("faults"));
    faults.current_dir(root()).args(arguments);
    if let Some(servers) = &servers {
        faults.envs(servers.environment());
    }
    if name == "all"
        && !arguments
            .iter()
            .any(|argument| argument == "--out" || argument == "--sabotage")
    {
        faults.args(["--out", KEPT]);
    }
    shown(&mut faults)
}

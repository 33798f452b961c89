//! `cargo xtask bench gateway`: builds the gateway and the benches, and lets the benches measure.
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{cargo, root, shown};

const KEPT: &str = "docs/results/gateway.md";

/// Measures with programs built by `profile`. A whole run (no `arguments`) of a release is kept.
pub fn run(profile: &str, arguments: &[String]) -> Result<()> {
    shown(cargo().args([
        "build",
        "--profile",
        profile,
        "-p",
        "baedal-router",
        "-p",
        "baedal-benches",
    ]))?;
    let built = built(profile)?;
    let mut measure = Command::new(built.join("baedal-bench"));
    measure.current_dir(root());
    measure
        .arg("run")
        .arg("--gateway")
        .arg(built.join("baedal-router"));
    if arguments.is_empty() && profile == "release" {
        measure.args(["--out", KEPT]);
    }
    shown(measure.args(arguments))
}

/// Where this profile's programs are: beside the folder of this program.
fn built(profile: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.parent().and_then(|folder| folder.parent());
    Ok(target
        .context("this program lies in a target folder")?
        .join(profile))
}

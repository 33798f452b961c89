//! `cargo xtask bench growth`: how cost grows with bytes, entities, fields and subgraphs.
use anyhow::Result;

use crate::run::{cargo, root, shown};

const KEPT: &str = "docs/results/growth.md";

/// Measures all with programs built by `profile`, and keeps the tables.
pub fn run(profile: &str) -> Result<()> {
    let mut bench = cargo();
    bench.args(["bench", "-p", "baedal-executor-benches", "--bench", "growth"]);
    bench.args(["--profile", profile]);
    shown(bench.env("BAEDAL_RESULTS", root().join(KEPT)))
}

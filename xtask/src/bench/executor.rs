//! `cargo xtask bench executor`: the executor's stages, measured by criterion.
use anyhow::Result;

use crate::run::{cargo, root, shown};

const KEPT: &str = "docs/results/executor.md";

/// Measures all, and keeps the table.
pub fn run() -> Result<()> {
    let mut bench = cargo();
    bench.args(["bench", "-p", "baedal-executor-benches", "--bench", "executor"]);
    shown(bench.env("BAEDAL_RESULTS", root().join(KEPT)))
}

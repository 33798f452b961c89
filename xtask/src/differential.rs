//! `cargo xtask differential`: generated graphs and operations, federated against one server, in the long form.
use anyhow::Result;

use crate::run::{cargo, shown};

/// Compares `cases` generated operations, beginning with the first graph of `seed`.
pub fn differential(cases: u64, seed: u64) -> Result<()> {
    let mut command = cargo();
    command
        .args([
            "test",
            "--locked",
            "-p",
            "baedal-federation-tests",
            "--test",
            "main",
        ])
        .args(["differential::federated_equals_monolith", "--", "--nocapture"])
        .env("DIFFERENTIAL_CASES", cases.to_string())
        .env("DIFFERENTIAL_SEED", seed.to_string());
    shown(&mut command)
}

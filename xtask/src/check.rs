//! `cargo xtask check`: formatting, lints, the rules of the house, manifests and alerts.
use anyhow::Result;

use crate::deploy;
use crate::run::{cargo, shown};

/// Fails on the first of: code that is not formatted, a lint, a broken rule of `tests/tests/tidy.rs`, a wrong file
/// of deploy/.
pub fn check() -> Result<()> {
    shown(cargo().args(["fmt", "--all", "--check"]))?;
    shown(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    // The whole workspace, so that what is built has the features, and so the files, that `test` uses.
    shown(cargo().args(["test", "--locked", "--workspace", "--test", "tidy"]))?;
    deploy::check()
}

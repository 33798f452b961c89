//! `cargo xtask schema`: writes the exported schema files; a contract test fails while they are stale.
use anyhow::Result;

use crate::run::{cargo, shown};

/// Runs the export, which lives beside the contract test that checks its files.
pub fn export() -> Result<()> {
    shown(cargo().args([
        "run",
        "--quiet",
        "--package",
        "baedal-tests",
        "--bin",
        "export-schema",
    ]))
}

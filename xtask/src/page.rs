//! `cargo xtask page`: the page that the gateway shows to browsers, built anew from `router/server/page`.
use std::process::Command;

use anyhow::Result;

use crate::run::{root, shown};

/// Installs the packages as they are locked, and writes `dist/`.
///
/// # Errors
/// No Node or npm, no package registry, an error in the page.
pub fn build() -> Result<()> {
    let folder = root().join("router/server/page");
    shown(
        Command::new("npm")
            .current_dir(&folder)
            .args(["ci", "--ignore-scripts"]),
    )?;
    shown(Command::new("node").current_dir(&folder).arg("build.mjs"))
}

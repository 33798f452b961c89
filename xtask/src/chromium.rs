//! Chromium for the tests that use the gateway's page: the system's, or Debian's package installed now.
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{quiet, succeeds};

/// Variable that names the browser for the tests.
pub const CHROMIUM: &str = "CHROMIUM";

/// The browser of the environment or the system, or one installed now.
///
/// # Errors
/// There is none, and the package cannot be installed.
pub fn browser() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(CHROMIUM) {
        return Ok(named.into());
    }
    if let Some(found) = installed() {
        return Ok(found);
    }
    if succeeds("apt-get", &["--version"]) {
        quiet(Command::new("apt-get").arg("update"))?;
        quiet(
            Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["install", "-y", "--no-install-recommends", "chromium"]),
        )
        .context("the package `chromium` could not be installed")?;
    }
    installed().context("no Chromium: install it, or name it with CHROMIUM")
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).flat_map(|folder| {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        names.map(|name| folder.join(name))
    });
    places.into_iter().find(|path| Path::exists(path))
}

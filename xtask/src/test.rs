//! `cargo xtask test`: every test, with the real servers in reach.
use std::thread;

use anyhow::{Result, anyhow};

use crate::chromium::{self, CHROMIUM};
use crate::review::{self, REVIEW_PYTHON};
use crate::run::{cargo, shown};
use crate::servers::Servers;

/// Builds the tests while the servers come up, then runs them with the servers' addresses in the
/// environment. The servers are stopped at the end, whatever the outcome.
pub fn test(arguments: &[String]) -> Result<()> {
    let whole = arguments.is_empty();
    let (servers, built) = thread::scope(|scope| {
        let build = scope.spawn(|| if whole { build() } else { Ok(()) });
        // The servers are started by this thread: they end with it (see `servers::process`).
        let servers = Servers::start();
        (
            servers,
            build
                .join()
                .map_err(|_| anyhow!("the build thread panicked"))
                .flatten(),
        )
    });
    let servers = servers?;
    built?;
    let mut command = cargo();
    command.args(["test", "--locked"]).envs(servers.environment());
    if whole || arguments.iter().any(|argument| argument.contains("review")) {
        command.env(REVIEW_PYTHON, review::python()?);
    }
    if whole || arguments.iter().any(|argument| argument.contains("browser")) {
        command.env(CHROMIUM, chromium::browser()?);
    }
    if whole {
        command.args(["--workspace", "--no-fail-fast"]);
    }
    shown(command.args(arguments))
}

fn build() -> Result<()> {
    shown(cargo().args(["test", "--locked", "--workspace", "--no-run"]))
}

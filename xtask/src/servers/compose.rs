//! The stores and the broker of `compose.yaml`, where a container engine runs.
use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{quiet, root, succeeds};

/// Compose files: the system's own, and what publishes the servers' ports on the loopback address.
const FILES: [&str; 4] = ["--file", "compose.yaml", "--file", "tests/compose.servers.yaml"];
/// Each variable, its service, and the service's port and address pattern in `tests/compose.servers.yaml`.
const SERVICES: [(&str, &str, &str); 4] = [
    (
        super::MONGODB_URL,
        "mongo",
        "mongodb://127.0.0.1:57017/?replicaSet=rs0&directConnection=true",
    ),
    (
        super::POSTGRES_URL,
        "postgres",
        "postgres://baedal:baedal@127.0.0.1:55432/postgres",
    ),
    (super::KAFKA_BROKERS, "kafka", "127.0.0.1:59092"),
    (super::REDIS_URL, "redis", "redis://127.0.0.1:56379/0"),
];

/// Whether a container engine answers and has the Compose plugin.
pub fn engine_runs() -> bool {
    succeeds("docker", &["info"]) && succeeds("docker", &["compose", "version"])
}

/// The started Compose project; dropping it removes its containers and volumes.
pub struct Project;

impl Project {
    /// Starts the services behind `wanted` and waits until they are healthy.
    ///
    /// # Errors
    /// Compose fails; its output is in the error.
    pub fn up(wanted: &[&'static str]) -> Result<(Project, Vec<(&'static str, String)>)> {
        let chosen: Vec<_> = SERVICES
            .iter()
            .filter(|(name, ..)| wanted.contains(name))
            .collect();
        if chosen.is_empty() {
            bail!("no service was asked for");
        }
        let project = Project;
        let services = chosen.iter().map(|(_, service, _)| *service);
        quiet(compose().args(["up", "--detach", "--wait"]).args(services))?;
        Ok((
            project,
            chosen
                .iter()
                .map(|(name, _, address)| (*name, (*address).to_owned()))
                .collect(),
        ))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if let Err(error) = quiet(compose().args(["down", "--volumes"])) {
            eprintln!("the containers of the project baedal-test may still run: {error:#}");
        }
    }
}

fn compose() -> Command {
    let mut command = Command::new("docker");
    command
        .current_dir(root())
        .args(["compose", "--project-name", "baedal-test"])
        .args(FILES);
    command
        .env("POSTGRES_PASSWORD", "baedal")
        .env("POSTGRES_USER", "baedal");
    command
}

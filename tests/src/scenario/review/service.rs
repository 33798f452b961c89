//! The review service of `examples/review` as a process.
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use baedal::parts::AUDIENCE;
use baedal::settings::Settings;

use crate::patience::until;
use crate::world::free_ports;

/// The Python that has what the service needs; `cargo xtask` makes it and names it by this variable.
const PYTHON: &str = "REVIEW_PYTHON";
/// How long it may take to start and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running review service; it is killed when dropped.
pub struct Service {
    addr: SocketAddr,
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts it beside a platform and waits until it is ready.
    ///
    /// # Errors
    /// There is no Python for it, or it does not start; with its output.
    pub async fn start(settings: &Settings) -> Result<Service> {
        let python = std::env::var(PYTHON).with_context(|| {
            format!("{PYTHON} is not set; `cargo xtask test` and `cargo xtask scenario` set it")
        })?;
        let addr = SocketAddr::from(([127, 0, 0, 1], free_ports()?.store));
        let log = settings.data.join("review.log");
        let output = File::create(&log)?;
        let child = Command::new(python)
            .args(["-m", "review"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/review"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("BAEDAL_LISTEN", addr.to_string())
            .env("REVIEW_DATABASE", settings.data.join("review.db"))
            .env("EVENTS_URL", settings.events())
            .env("ISSUER_URL", settings.issuer())
            .env("AUDIENCE", AUDIENCE)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("the review service does not start")?;
        let service = Service { addr, child, log };
        let url = format!("http://{addr}/health/ready");
        until(PATIENCE, || async {
            Ok(reqwest::get(&url)
                .await
                .is_ok_and(|answer| answer.status().is_success()))
        })
        .await
        .with_context(|| format!("the review service is not ready: {}", service.output()))?;
        Ok(service)
    }

    /// Its GraphQL endpoint.
    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.addr)
    }

    fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// SIGTERM, and waits for its end.
    ///
    /// # Errors
    /// It does not end.
    pub async fn stop(mut self) -> Result<()> {
        Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()?;
        until(PATIENCE, || {
            let ended = self.child.try_wait();
            async move { Ok(ended?.is_some()) }
        })
        .await
        .with_context(|| format!("the review service does not end: {}", self.output()))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

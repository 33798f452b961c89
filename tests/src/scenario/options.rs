//! How a scenario is run.
use std::time::Duration;

use anyhow::Result;

use crate::cluster::{Cluster, Knobs, Plan, Start};
use crate::servers;

/// Size, seed and stores of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Less load, and no numbers about speed demanded.
    pub short: bool,
    /// What everything random comes from.
    pub seed: u64,
    /// Users at once, when not the scenario's own number.
    pub users: Option<usize>,
    /// How long the load lasts, when not the scenario's own time.
    pub lasts: Option<Duration>,
    /// Real MongoDB, Postgres and Kafka (named by the environment) or the embedded stores.
    pub servers: bool,
    /// How the services run.
    pub start: Start,
}

impl Options {
    /// The short form, with every service in this process.
    pub fn short(servers: bool) -> Options {
        Options {
            short: true,
            seed: 1,
            users: None,
            lasts: None,
            servers,
            start: Start::Inside,
        }
    }

    /// Users: the given number, else that of the form.
    pub fn users(&self, long: usize, short: usize) -> usize {
        self.users.unwrap_or(if self.short { short } else { long })
    }

    /// Duration of the load: the given one, else that of the form.
    pub fn lasts(&self, long: u64, short: u64) -> Duration {
        let own = Duration::from_secs(if self.short { short } else { long });
        self.lasts.unwrap_or(own)
    }

    /// A number that depends on the form.
    pub fn pick<T>(&self, long: T, short: T) -> T {
        if self.short { short } else { long }
    }

    /// What to start.
    ///
    /// # Errors
    /// Servers that are not named or not there.
    pub async fn plan(&self, replicas: usize, customers: usize, knobs: Knobs) -> Result<Plan> {
        let servers = match self.servers {
            true => Some(servers::fresh().await?),
            false => None,
        };
        Ok(Plan {
            start: self.start.clone(),
            replicas,
            customers,
            servers,
            knobs,
        })
    }

    /// A platform of one replica of everything.
    ///
    /// # Errors
    /// See [`Cluster::start`].
    pub async fn platform(&self, customers: usize, knobs: Knobs) -> Result<Cluster> {
        Cluster::start(self.plan(1, customers, knobs).await?).await
    }
}

/// This machine, in a few words, and how busy it is.
pub fn machine() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let after = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = after(&cpu, "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kib: u64 = after(&memory, "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    let load = read("/proc/loadavg");
    let load = load.split_whitespace().next().unwrap_or("?");
    format!(
        "{cores} cores of {model}, {} GB, load average {load} at the start",
        kib / 1_000_000
    )
}

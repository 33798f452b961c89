//! Real MongoDB, Postgres, Kafka and Redis for the tests.
//!
//! Each is taken from the environment when its variable is set; else all come from Docker Compose where
//! an engine runs; else each is started from packages. A server that cannot be had is an error, never
//! a reason to skip a test.
mod compose;
mod kafka;
mod mongo;
mod postgres;
mod process;
mod redis;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::run::root;
use process::Process;

/// Variable that holds MongoDB's address, `mongodb://…`, of a replica set.
const MONGODB_URL: &str = "MONGODB_URL";
/// Variable that holds Postgres' address, `postgres://user:password@host:port/database`.
const POSTGRES_URL: &str = "POSTGRES_URL";
/// Variable that holds Kafka's address, `host:port,…`.
const KAFKA_BROKERS: &str = "KAFKA_BROKERS";
/// Variable that holds Redis' address, `redis://host:port/0`.
const REDIS_URL: &str = "REDIS_URL";

/// The running servers; dropping it stops those it started.
pub struct Servers {
    environment: Vec<(&'static str, String)>,
    _started: Vec<Process>,
    _compose: Option<compose::Project>,
}

impl Servers {
    /// Finds or starts all of them.
    ///
    /// # Errors
    /// A server that can neither be found nor started, with what to install or set.
    pub fn start() -> Result<Servers> {
        let wanted: Vec<&'static str> = [MONGODB_URL, POSTGRES_URL, KAFKA_BROKERS, REDIS_URL]
            .into_iter()
            .filter(|name| std::env::var_os(name).is_none())
            .collect();
        if wanted.is_empty() {
            return Ok(Servers {
                environment: Vec::new(),
                _started: Vec::new(),
                _compose: None,
            });
        }
        if compose::engine_runs() {
            let (project, environment) = compose::Project::up(&wanted)?;
            return Ok(Servers {
                environment,
                _started: Vec::new(),
                _compose: Some(project),
            });
        }
        Servers::from_packages(&wanted)
    }

    fn from_packages(wanted: &[&'static str]) -> Result<Servers> {
        let mut environment = Vec::new();
        let mut started = Vec::new();
        for name in wanted {
            let (process, address) = match *name {
                MONGODB_URL => mongo::start()
                    .context("MongoDB could not be started; set MONGODB_URL to one that runs")?,
                POSTGRES_URL => postgres::start()
                    .context("Postgres could not be started; set POSTGRES_URL to one that runs")?,
                REDIS_URL => {
                    redis::start().context("Redis could not be started; set REDIS_URL to one that runs")?
                }
                _ => kafka::start()
                    .context("Kafka could not be started; set KAFKA_BROKERS to one that runs")?,
            };
            eprintln!("{name}={address}");
            environment.push((*name, address));
            environment.push((process_variable(name), process.id().to_string()));
            started.push(process);
        }
        Ok(Servers {
            environment,
            _started: started,
            _compose: None,
        })
    }

    /// What tests need to find the servers that were started here.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.environment.clone()
    }
}

/// Variable that holds the process id of a server started here, for experiments that stop it.
fn process_variable(name: &str) -> &'static str {
    match name {
        MONGODB_URL => "MONGODB_PID",
        POSTGRES_URL => "POSTGRES_PID",
        REDIS_URL => "REDIS_PID",
        _ => "KAFKA_PID",
    }
}

/// `cargo xtask servers`.
pub fn run_until_interrupted() -> Result<()> {
    let servers = Servers::start()?;
    for (name, address) in servers.environment() {
        println!("export {name}='{address}'");
    }
    eprintln!("Servers are up; Ctrl-C stops them.");
    // The servers get the terminal's interrupt too and end with this process (see `process`).
    let (_keep, forever) = mpsc::channel::<()>();
    loop {
        let _ = forever.recv_timeout(Duration::from_secs(3600));
        thread::yield_now();
    }
}

/// Where downloaded packages are kept, so that they are downloaded once.
fn packages(name: &str) -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let folder = target.join("servers").join(name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// A program of the system.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.exists())
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let here = entries
        .iter()
        .find(|path| path.is_file() && path.file_name().is_some_and(|file| file == name));
    here.cloned().or_else(|| {
        entries
            .iter()
            .filter(|path| path.is_dir())
            .find_map(|path| find(path, name))
    })
}

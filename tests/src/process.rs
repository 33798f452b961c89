//! The embedded platform as a process, to be killed.
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use baedal::settings::{Part, Ports, Settings, Told};

/// How long a start may take in a debug build on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A running `baedal` process; it is killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

/// Options of a process on `data`.
pub fn settings(data: &Path, ports: &Ports) -> Settings {
    Settings {
        data: data.to_path_buf(),
        only: Vec::new(),
        step_ms: 0,
        ports: ports.clone(),
        supervise: false,
        told: Told::default(),
        servers: None,
    }
}

impl Process {
    /// Starts `program` with these settings and waits until it says that it is ready.
    ///
    /// # Errors
    /// It ends or says nothing in time; with its output.
    pub fn start(program: &str, settings: &Settings) -> Result<Process> {
        Process::start_with(program, settings, &[])
    }

    /// The same with variables of the environment.
    ///
    /// # Errors
    /// It ends or says nothing in time; with its output.
    pub fn start_with(program: &str, settings: &Settings, variables: &[(&str, &str)]) -> Result<Process> {
        let variables: Vec<(&str, String)> = variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let mut process = Process::spawn(program, settings, &variables)?;
        process.until_ready()?;
        Ok(process)
    }

    /// Starts `program` with these settings and variables, and does not wait.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn(program: &str, settings: &Settings, variables: &[(&str, String)]) -> Result<Process> {
        std::fs::create_dir_all(&settings.data)?;
        let log = settings
            .data
            .join(format!("process-{}.log", uuid::Uuid::now_v7().simple()));
        let output = File::create(&log)?;
        let child = command(program, settings)
            .envs(variables.iter().map(|(name, value)| (*name, value)))
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("cannot start baedal")?;
        Ok(Process { child, log })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself within `patience`.
    ///
    /// # Errors
    /// The process cannot be asked.
    pub fn ended(&mut self, patience: Duration) -> Result<bool> {
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            if start.elapsed() > patience {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(true)
    }

    /// Waits until it says that it is ready.
    ///
    /// # Errors
    /// It ends or says nothing in time; with its output.
    pub fn until_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < START {
            if self.output().contains("baedal is ready") {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("baedal ended with {status}: {}", self.output());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("baedal is not ready after {START:?}: {}", self.output())
    }

    /// What it has printed so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// The process cannot be signalled.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and returns whether it ended with success within 20 s.
    ///
    /// # Errors
    /// The process cannot be signalled, or does not end.
    pub fn terminate(mut self) -> Result<bool> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status()?;
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("it did not end within 20 s: {}", self.output())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &str, settings: &Settings) -> Command {
    let mut command = Command::new(program);
    command
        .arg("up")
        .arg("--data")
        .arg(&settings.data)
        .args(["--step-ms", &settings.step_ms.to_string()]);
    if !settings.only.is_empty() {
        let names: Vec<&str> = settings.only.iter().map(|part| part.name()).collect();
        command.args(["--only", &names.join(",")]);
    }
    for part in Part::ALL {
        command.args([format!("--{part}-port"), settings.port(part).to_string()]);
    }
    command.args(["--payment-grpc-port", &settings.ports.payment_grpc.to_string()]);
    for (name, port) in [
        ("gateway", settings.told.gateway_metrics_port),
        ("auth", settings.told.auth_metrics_port),
    ] {
        command.args(port.map(|port| format!("--{name}-metrics-port={port}")));
    }
    for (flag, asked) in [
        ("--access-log", settings.told.access_log),
        ("--supervise", settings.supervise),
    ] {
        command.args(asked.then_some(flag));
    }
    command.stdin(Stdio::null()).env("RUST_LOG", "warn");
    command
}

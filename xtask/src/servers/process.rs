//! A server process with a data folder of its own; both go when the value is dropped.
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::run::succeeds;

/// How long a server may take until it accepts connections.
const START: Duration = Duration::from_secs(90);
/// How long a server may take to stop by itself before it is killed.
const STOP: Duration = Duration::from_secs(10);

/// A running server.
pub struct Process {
    name: &'static str,
    child: Child,
    folder: PathBuf,
}

impl Process {
    /// Starts `command` with its output in a log under `folder`, and waits until `port` accepts.
    ///
    /// # Errors
    /// The program cannot be started, ends early, or does not accept in time; with the end of its log.
    pub fn start(name: &'static str, command: Command, folder: PathBuf, port: u16) -> Result<Process> {
        let log = folder.join("server.log");
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = ending_with_us(command);
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let mut process = Process { name, child, folder };
        process
            .wait_for(port)
            .with_context(|| format!("{name} printed:\n{}", tail(&log)))?;
        Ok(process)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn wait_for(&mut self, port: u16) -> Result<()> {
        let until = Instant::now() + START;
        while Instant::now() < until {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status} before it accepted connections", self.name);
            }
            thread::sleep(Duration::from_millis(100));
        }
        bail!(
            "{} did not accept connections on port {port} within {START:?}",
            self.name
        )
    }

    fn stop(&mut self) {
        let pid = self.child.id().to_string();
        succeeds("kill", &["-TERM", &pid]);
        let until = Instant::now() + STOP;
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A data folder of its own for one server of this run.
pub fn data_folder(name: &str) -> Result<PathBuf> {
    remove_folders_of_ended_runs();
    let folder = std::env::temp_dir().join(format!("baedal-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// An interrupted run leaves its folders behind.
fn remove_folders_of_ended_runs() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = [
            "baedal-mongodb-",
            "baedal-postgres-",
            "baedal-kafka-",
            "baedal-redis-",
        ];
        let pid = ours
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix)?.parse::<u32>().ok());
        if pid.is_some_and(|pid| {
            Path::new("/proc/self").exists() && !Path::new("/proc").join(pid.to_string()).exists()
        }) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A port that was free a moment ago, below the range that outgoing connections take theirs from: a client that
/// tries a stopped server's port again and again must not end up connected to itself.
pub fn free_port() -> Result<u16> {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 2_000;
    let start = std::process::id();
    for number in 0..COUNT {
        let port = u16::try_from(FIRST + (start + number) % COUNT)?;
        if TAKEN.lock().is_ok_and(|mut taken| taken.insert(port))
            && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        {
            return Ok(port);
        }
    }
    bail!("no port of 127.0.0.1 from {FIRST} to {} is free", FIRST + COUNT)
}

/// Ports given to servers of this run.
static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Has the kernel end the server when this process ends in a way that runs no destructor.
fn ending_with_us(command: Command) -> Command {
    wrapped("setpriv", &["--pdeathsig", "TERM"], command)
}

/// `program arguments… command…` where `program` exists, else `command` as it is.
pub fn wrapped(program: &str, arguments: &[&str], command: Command) -> Command {
    if !succeeds(program, &["--version"]) {
        return command;
    }
    let mut wrapper = Command::new(program);
    wrapper
        .args(arguments)
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        wrapper.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            wrapper.env(name, value);
        }
    }
    wrapper
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

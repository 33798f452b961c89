//! The real servers, to be stopped and started again. `cargo xtask faults` starts them and says which processes they are
//! (`KAFKA_PID`, `POSTGRES_PID`, `MONGODB_PID`).
use std::collections::HashMap;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long a server may take to end, or to accept connections.
const PATIENCE: Duration = Duration::from_secs(90);

/// Servers that were started again here, by their variable: they end with this process.
static AGAIN: Mutex<Option<HashMap<&'static str, Child>>> = Mutex::new(None);

/// A server process.
#[derive(Debug, Clone)]
pub struct Server {
    variable: &'static str,
    address: SocketAddr,
    arguments: Vec<String>,
    user: String,
    folder: std::path::PathBuf,
}

impl Server {
    /// The server whose process id is in `variable`, and which listens on `address`.
    ///
    /// # Errors
    /// The variable is not set, or there is no such process.
    pub fn found(variable: &'static str, address: SocketAddr) -> Result<Server> {
        let pid = id_of(variable)?;
        let line = fs::read(format!("/proc/{pid}/cmdline"))
            .with_context(|| format!("no process {pid} of {variable}"))?;
        let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let user = status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:"))
            .context("a process has a user")?;
        Ok(Server {
            variable,
            address,
            arguments: words
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect(),
            user: user.split_whitespace().next().unwrap_or("0").to_owned(),
            folder: fs::read_link(format!("/proc/{pid}/cwd"))?,
        })
    }

    /// Sends it a signal and waits until it has ended.
    ///
    /// # Errors
    /// It does not end.
    pub fn stop(&self, signal: &str) -> Result<()> {
        let pid = id_of(self.variable)?;
        Command::new("kill")
            .args([&format!("-{signal}"), &pid.to_string()])
            .status()?;
        let start = Instant::now();
        while lives(pid, self.variable) {
            ensure!(
                start.elapsed() < PATIENCE,
                "the process {pid} of {} does not end",
                self.variable
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Starts it as it was started before, and waits until it accepts connections.
    ///
    /// # Errors
    /// It does not.
    pub fn start(&self) -> Result<()> {
        let (program, arguments) = self.arguments.split_first().context("a command")?;
        let mut command = match self.user.as_str() {
            user if user == own_user()? => Command::new(program),
            user => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", user, "--clear-groups", "--", program]);
                command
            }
        };
        let child = command
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        AGAIN
            .lock()
            .expect("no holder panics")
            .get_or_insert_default()
            .insert(self.variable, child);
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if start.elapsed() > PATIENCE {
                bail!("the server of {} does not accept connections", self.variable);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// Ends the servers that were started again.
pub fn end_all() {
    let again = AGAIN.lock().expect("no holder panics").take();
    for (_, mut child) in again.unwrap_or_default() {
        let _ = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        let _ = child.wait();
    }
}

fn id_of(variable: &'static str) -> Result<u32> {
    if let Some(child) = AGAIN
        .lock()
        .expect("no holder panics")
        .get_or_insert_default()
        .get(variable)
    {
        return Ok(child.id());
    }
    let text = std::env::var(variable).with_context(|| {
        format!("{variable} is not set: run this with `cargo xtask faults`, without a container engine")
    })?;
    Ok(text.parse()?)
}

/// A process that has ended and was not yet waited for is a zombie.
fn lives(pid: u32, variable: &'static str) -> bool {
    if let Some(child) = AGAIN
        .lock()
        .expect("no holder panics")
        .get_or_insert_default()
        .get_mut(variable)
    {
        return matches!(child.try_wait(), Ok(None));
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .any(|line| line.starts_with("State:") && !line.contains('Z'))
}

fn own_user() -> Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let user = status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .context("a process has a user")?;
    Ok(user.split_whitespace().next().unwrap_or("0").to_owned())
}

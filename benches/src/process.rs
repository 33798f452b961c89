//! Processes that are measured, and what the operating system knows of them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Longest time for a process to say that it listens.
const START: Duration = Duration::from_secs(20);

/// A process of ours. Dropped, it is ended.
pub struct Process {
    child: Child,
    /// Where it listens, in the order it said so.
    pub addresses: Vec<SocketAddr>,
}

impl Process {
    /// Starts a program and waits for the first line that holds addresses (`http://HOST:PORT`, any number of them).
    pub fn start(program: &Path, arguments: &[String]) -> Result<Process> {
        let mut child = Command::new(program)
            .args(arguments)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let out = child.stdout.take().expect("stdout is piped");
        let mut process = Process {
            child,
            addresses: Vec::new(),
        };
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // Nobody listens any more when the start is over.
                let _ = tell.send(addresses(&line));
            }
        });
        let deadline = Instant::now() + START;
        while process.addresses.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            process.addresses = told
                .recv_timeout(left)
                .with_context(|| format!("{} did not say where it listens", program.display()))?;
        }
        Ok(process)
    }

    /// Where it listens, if that is one place.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Tells it to look at its configuration again.
    pub fn hang_up(&self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        Ok(rustix::process::kill_process(pid, rustix::process::Signal::HUP)?)
    }

    /// Processor time used so far by all threads that are alive.
    pub fn cpu(&self) -> Result<Duration> {
        let tasks = format!("/proc/{}/task", self.child.id());
        let mut used = Duration::ZERO;
        for task in fs::read_dir(&tasks).with_context(|| tasks.clone())? {
            // A thread may end while the folder is read; threads that serve do not.
            if let Ok(spent) = spent(&task?.path().join("schedstat")) {
                used += spent;
            }
        }
        Ok(used)
    }

    /// Memory now and at most, in KiB.
    pub fn memory(&self) -> Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        match (number(&status, "VmRSS:"), number(&status, "VmHWM:")) {
            (Some(now), Some(most)) => Ok(Memory { now, most }),
            _ => bail!("the process is gone"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Resident memory in KiB.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// `VmRSS`.
    pub now: u64,
    /// `VmHWM`.
    pub most: u64,
}

fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn addresses(line: &str) -> Vec<SocketAddr> {
    let places = line.split("http://").skip(1);
    places
        .filter_map(|place| place.split(['/', ' ']).next()?.parse().ok())
        .collect()
}

/// Processor time this thread has used: what else the machine does disturbs it least.
pub fn thread_time() -> Result<Duration> {
    spent(Path::new("/proc/thread-self/schedstat"))
}

fn spent(schedstat: &Path) -> Result<Duration> {
    let text = fs::read_to_string(schedstat)?;
    let first = text.split_whitespace().next();
    let told = first.and_then(|first| first.parse().ok());
    Ok(Duration::from_nanos(
        told.context("schedstat begins with a number")?,
    ))
}

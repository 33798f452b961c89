//! The platform in several processes on one data folder, some of which are to die.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use baedal::settings::{Part, Settings};
use tempfile::TempDir;

use super::Violated;
use crate::process::{self, Process};
use crate::world::free_ports;

/// Several processes that make up a platform.
pub struct Fleet {
    program: String,
    /// The platform's addresses and stores.
    pub settings: Settings,
    crews: BTreeMap<&'static str, Crew>,
    _folder: TempDir,
}

/// A process that can be started again and again.
struct Crew {
    settings: Settings,
    variables: Vec<(&'static str, String)>,
    process: Option<Process>,
}

impl Fleet {
    /// An empty fleet on a folder of its own; `program` is what its processes run.
    ///
    /// # Errors
    /// No folder, no ports.
    pub fn new(program: &str) -> Result<Fleet> {
        let folder = tempfile::tempdir()?;
        Ok(Fleet {
            program: program.to_owned(),
            settings: process::settings(folder.path(), &free_ports()?),
            crews: BTreeMap::new(),
            _folder: folder,
        })
    }

    /// A platform in two processes: `parts` under the name `victim`, and `rest`. All get these variables.
    ///
    /// # Errors
    /// A process that does not start.
    pub fn of_two(program: &str, parts: &[Part], variables: &[(&'static str, String)]) -> Result<Fleet> {
        let mut fleet = Fleet::new(program)?;
        let others: Vec<Part> = Part::ALL
            .into_iter()
            .filter(|part| !parts.contains(part))
            .collect();
        fleet.enlist("rest", &others, variables);
        fleet.enlist("victim", parts, variables);
        fleet.start("rest")?;
        fleet.start("victim")?;
        Ok(fleet)
    }

    /// A process with these parts, at the fleet's addresses; it is not started yet.
    pub fn enlist(&mut self, name: &'static str, parts: &[Part], variables: &[(&'static str, String)]) {
        let mut settings = self.settings.clone();
        settings.only = parts.to_vec();
        self.enlist_as(name, settings, variables);
    }

    /// A process with settings of its own.
    pub fn enlist_as(
        &mut self,
        name: &'static str,
        settings: Settings,
        variables: &[(&'static str, String)],
    ) {
        let crew = Crew {
            settings,
            variables: variables.to_vec(),
            process: None,
        };
        self.crews.insert(name, crew);
    }

    /// Starts a process; says how long it took until it was ready.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(&mut self, name: &str) -> Result<Duration> {
        let start = Instant::now();
        let crew = self
            .crews
            .get_mut(name)
            .with_context(|| format!("no process {name}"))?;
        let mut process = Process::spawn(&self.program, &crew.settings, &crew.variables)?;
        process.until_ready()?;
        crew.process = Some(process);
        Ok(start.elapsed())
    }

    /// Starts a process that will die at a failpoint, `NAME=kill@N`, and waits for its death.
    ///
    /// # Errors
    /// It still lives after `patience`: nothing led it to that point.
    pub fn start_to_die(&mut self, name: &str, failpoint: String, patience: Duration) -> Result<()> {
        let crew = self
            .crews
            .get_mut(name)
            .with_context(|| format!("no process {name}"))?;
        let mut variables = crew.variables.clone();
        variables.push(("BAEDAL_FAILPOINTS", failpoint.clone()));
        let mut process = Process::spawn(&self.program, &crew.settings, &variables)?;
        let died = process.ended(patience)?;
        ensure!(died, "{name} never came to {failpoint}: {}", process.output());
        ensure!(
            process.output().contains("this process dies here"),
            "{name} ended otherwise than at {failpoint}: {}",
            process.output()
        );
        Ok(())
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// It cannot be signalled.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        let crew = self
            .crews
            .get_mut(name)
            .with_context(|| format!("no process {name}"))?;
        crew.process.take().map_or(Ok(()), Process::kill)
    }

    /// SIGTERM; whether it ended well.
    ///
    /// # Errors
    /// It does not end.
    pub fn terminate(&mut self, name: &str) -> Result<bool> {
        let crew = self
            .crews
            .get_mut(name)
            .with_context(|| format!("no process {name}"))?;
        crew.process.take().map_or(Ok(true), Process::terminate)
    }

    /// The last lines a running process has printed.
    pub fn last_words(&self, name: &str) -> String {
        let crew = self.crews.get(name).and_then(|crew| crew.process.as_ref());
        let output = crew.map(Process::output).unwrap_or_default();
        let lines: Vec<&str> = output.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// The id of a running process.
    pub fn id(&self, name: &str) -> Option<u32> {
        self.crews.get(name)?.process.as_ref().map(Process::id)
    }

    /// Nothing in any process's output speaks of a panic.
    ///
    /// # Errors
    /// The line that does.
    pub fn without_panics(&self) -> Result<()> {
        for log in self.logs()? {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if let Some(line) = text.lines().find(|line| line.contains("panicked at")) {
                return Err(Violated(format!("a process panicked: {line}")).into());
            }
        }
        Ok(())
    }

    fn logs(&self) -> Result<Vec<PathBuf>> {
        let files = std::fs::read_dir(&self.settings.data)?
            .flatten()
            .map(|entry| entry.path());
        Ok(files
            .filter(|path| path.extension().is_some_and(|end| end == "log"))
            .collect())
    }
}

/// What a process holds: open files, and memory in MiB.
pub fn holdings(id: u32) -> Option<(usize, u64)> {
    let files = std::fs::read_dir(format!("/proc/{id}/fd")).ok()?.count();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse().ok()?;
    Some((files, kib / 1024))
}

//! What came of the experiments: a table on the terminal, a page in `docs/results`.
use std::fmt::Write;
use std::time::Duration;

use super::{Experiment, Facts};

/// What came of one experiment.
pub struct Row {
    /// Which.
    pub experiment: &'static Experiment,
    /// How often its fault was made.
    pub runs: u32,
    /// Whether its safety net was off.
    pub sabotage: bool,
    /// How long it took.
    pub took: Duration,
    /// What was measured, or why it failed.
    pub outcome: Result<Facts, String>,
}

impl Row {
    /// One line for the terminal.
    pub fn line(&self) -> String {
        let (mark, words) = match &self.outcome {
            Ok(facts) => ("ok  ", facts.join("; ")),
            Err(error) => ("FAIL", error.clone()),
        };
        let sabotage = if self.sabotage { " (sabotage)" } else { "" };
        let name = format!("{}{sabotage}", self.experiment.name);
        format!(
            "{mark} {name:<30} {:>4} runs {:>5.0} s  {words}",
            self.runs,
            self.took.as_secs_f64()
        )
    }

    fn markdown(&self) -> String {
        let (mark, words) = match &self.outcome {
            Ok(facts) => ("held", facts.join("; ")),
            Err(error) => ("**failed**", error.lines().next().unwrap_or_default().to_owned()),
        };
        let mark = if self.sabotage { "without its net" } else { mark };
        format!(
            "| {} | {mark} | {} | {:.0} s | {} |\n",
            self.experiment.name,
            self.runs,
            self.took.as_secs_f64(),
            words.replace('|', "/")
        )
    }
}

/// The page: which machine and seed, what each experiment is, and what came of it.
pub fn page(rows: &[Row], (date, machine, seed): (&str, &str, u64)) -> String {
    let mut page = format!(
        "# Faults\n\nWritten by `cargo xtask faults all`; the experiments are in `tests/src/faults/experiments`.\n\n\
         {date}, {machine}, seed {seed}.\n\n\
         ## What came of it\n\n| experiment | invariant | runs | took | measured |\n|---|---|---|---|---|\n"
    );
    rows.iter().for_each(|row| page.push_str(&row.markdown()));
    page.push_str(
        "\n## What they are\n\n| experiment | fault | must hold | its safety net |\n|---|---|---|---|\n",
    );
    for row in rows.iter().filter(|row| !row.sabotage) {
        let Experiment {
            name,
            fault,
            invariant,
            net,
            ..
        } = row.experiment;
        writeln!(page, "| {name} | {fault} | {invariant} | {net} |").expect("a string takes text");
    }
    page
}

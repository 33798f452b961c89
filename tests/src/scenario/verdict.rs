//! What a scenario found: a table and checks.
use std::fmt::Write;
use std::time::Duration;

use anyhow::Result;

use crate::audit::Ledger;
use crate::load::{OK, Report};

/// One demand and what was found.
#[derive(Debug, Clone)]
pub struct Check {
    /// What is demanded.
    pub wanted: String,
    /// What was found.
    pub found: String,
    /// Whether that is enough.
    pub holds: bool,
}

/// The outcome of a scenario.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// What it is about.
    pub title: String,
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    /// Its demands.
    pub checks: Vec<Check>,
    /// What else should be known.
    pub notes: Vec<String>,
}

impl Verdict {
    /// A scenario about this.
    pub fn new(title: &str) -> Verdict {
        Verdict {
            title: title.to_owned(),
            ..Verdict::default()
        }
    }

    /// Names the columns of the table.
    pub fn columns(&mut self, head: &[&'static str]) {
        self.head = head.to_vec();
    }

    /// Adds a line to the table.
    pub fn row(&mut self, cells: &[&str]) {
        self.rows
            .push(cells.iter().map(|cell| (*cell).to_owned()).collect());
    }

    /// The columns of [`Verdict::load`].
    pub fn load_columns(&mut self) {
        self.columns(&[
            "", "ok", "failed", "ok %", "ok/s", "mean", "p50", "p99", "longest",
        ]);
    }

    /// Adds a line for a load, and one per outcome that was not "ok".
    pub fn load(&mut self, name: &str, report: &Report) {
        let all = report.all();
        self.row(&[
            name,
            &report.ok().to_string(),
            &report.failed().len().to_string(),
            &format!("{:.2}", report.share_ok() * 100.0),
            &format!("{:.2}", report.ok_per_second()),
            &time(all.mean()),
            &time(all.quantile(0.5)),
            &time(all.quantile(0.99)),
            &time(all.longest()),
        ]);
        for (code, count) in report.outcomes.iter() {
            let (good, bad) = match code == OK {
                true => (count.len().to_string(), String::new()),
                false => (String::new(), count.len().to_string()),
            };
            self.row(&[
                &format!("– {code}"),
                &good,
                &bad,
                "",
                "",
                &time(count.mean()),
                &time(count.quantile(0.5)),
                &time(count.quantile(0.99)),
                &time(count.longest()),
            ]);
        }
    }

    /// Demands something.
    pub fn check(&mut self, wanted: impl Into<String>, found: impl Into<String>, holds: bool) {
        self.checks.push(Check {
            wanted: wanted.into(),
            found: found.into(),
            holds,
        });
    }

    /// Demands something of the long form; the short one only notes it.
    pub fn check_speed(&mut self, short: bool, wanted: &str, found: impl Into<String>, holds: bool) {
        let found = found.into();
        match short {
            true => self
                .notes
                .push(format!("{wanted}: {found} (not demanded of the short form)")),
            false => self.check(wanted, found, holds),
        }
    }

    /// Demands that the ledger audit found nothing.
    pub fn audited(&mut self, audit: Result<Ledger>, acknowledged: usize) {
        let (found, holds) = match audit {
            Ok(ledger) => {
                let (orders, payments) = (ledger.orders.len(), ledger.payments.len());
                let (tickets, feed) = (ledger.tickets.len(), ledger.feed.len());
                let told = format!(
                    "{acknowledged} acknowledged, {orders} orders, {payments} payments, {tickets} tickets, {feed} feed items"
                );
                (told, true)
            }
            Err(error) => (format!("{error:#}"), false),
        };
        self.check("the ledger audit finds nothing", found, holds);
    }

    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.holds)
    }

    /// What does not hold, in words.
    pub fn missed(&self) -> Vec<String> {
        let missed = self.checks.iter().filter(|check| !check.holds);
        missed
            .map(|check| format!("wanted {}; found {}", check.wanted, check.found))
            .collect()
    }

    /// All of it as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n", self.title);
        if !self.head.is_empty() {
            table(&mut text, &self.head, &self.rows);
        }
        let checks: Vec<Vec<String>> = self
            .checks
            .iter()
            .map(|check| {
                let mark = if check.holds { "yes" } else { "**no**" };
                vec![check.wanted.clone(), check.found.clone(), mark.to_owned()]
            })
            .collect();
        table(&mut text, &["wanted", "found", "holds"], &checks);
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text
    }
}

fn table(text: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        widest.max(head[column].chars().count()).max(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |text: &mut String, cells: &[String]| {
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(text, "| {cell:<width$} ");
        }
        text.push_str("|\n");
    };
    line(
        text,
        &head.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>(),
    );
    line(
        text,
        &widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>(),
    );
    rows.iter().for_each(|row| line(text, row));
    text.push('\n');
}

/// A time as people read it.
pub fn time(time: Duration) -> String {
    match time {
        time if time.is_zero() => String::new(),
        time if time < Duration::from_secs(1) => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        time => format!("{:.2} s", time.as_secs_f64()),
    }
}

//! `cargo xtask bench plans`: the figures of the plans of all cases against those in
//! `docs/results/plans.json`.
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::run::{cargo, quiet, root};

const KEPT: &str = "docs/results/plans.json";

/// Dearest first: more steps are worse, whatever the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Figures {
    steps: usize,
    fetches: usize,
    bytes: usize,
}

type Table = BTreeMap<String, Figures>;

/// Prints what changed, with totals. New figures are kept unless one got worse and `accept` is not given.
pub fn run(accept: bool) -> Result<()> {
    let new = measured()?;
    let path = root().join(KEPT);
    let old: Table = match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).context(KEPT)?,
        Err(_) => Table::new(),
    };
    let worse = compare(&old, &new);
    if worse > 0 && !accept {
        bail!("{worse} plans got worse (`--accept` keeps the new figures)");
    }
    if new != old {
        fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&new)?)).context(KEPT)?;
        println!("kept in {KEPT}");
    }
    Ok(())
}

fn measured() -> Result<Table> {
    let output = quiet(cargo().args([
        "run",
        "--quiet",
        "--package",
        "baedal-planner",
        "--example",
        "plan-figures",
    ]))?;
    serde_json::from_slice(&output.stdout).context("the figures of the plans")
}

/// Prints a line for each difference and the totals of all; gives how many plans got worse.
fn compare(old: &Table, new: &Table) -> usize {
    let mut worse = 0;
    println!(
        "{:>5} {:>7} {:>6}   was                     case",
        "steps", "fetches", "bytes"
    );
    let cases: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for case in cases {
        let verdict = match (old.get(case), new.get(case)) {
            (Some(old), Some(new)) if new > old => "worse",
            (Some(old), Some(new)) if new < old => "better",
            (None, Some(_)) => "new",
            (Some(_), None) => "gone",
            _ => continue,
        };
        worse += usize::from(verdict == "worse");
        line(old.get(case), new.get(case), &format!("{verdict}: {case}"));
    }
    let total = |table: &Table| {
        table.values().fold(Figures::default(), |sum, one| Figures {
            steps: sum.steps + one.steps,
            fetches: sum.fetches + one.fetches,
            bytes: sum.bytes + one.bytes,
        })
    };
    line(
        Some(&total(old)),
        Some(&total(new)),
        &format!("total of {} plans", new.len()),
    );
    worse
}

fn line(old: Option<&Figures>, new: Option<&Figures>, what: &str) {
    let columns = |figures: Option<&Figures>| {
        figures.map_or_else(String::new, |f| {
            format!("{:>5} {:>7} {:>6}", f.steps, f.fetches, f.bytes)
        })
    };
    println!("{:<20}   ({:<20})  {what}", columns(new), columns(old));
}

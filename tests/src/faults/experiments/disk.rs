//! The disk of one service is full: no file of its process may grow any more.
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use baedal::settings::Part;

use super::services::blocking;
use crate::faults::fleet::Fleet;
use crate::faults::load::{Load, customer};
use crate::faults::random::Random;
use crate::faults::{Experiment, Facts, Plan, Violated, must};
use crate::patience::until;

/// What the process may still write: less than one round of SQLite's write-ahead log.
const ROOM: u64 = 256 * 1024;

/// 15.
pub const FULL: Experiment = Experiment {
    name: "disk-full",
    fault: "the disk of order is full (its files cannot grow), and has room again later",
    invariant: "orders are refused with a code, those there are can be read, none is acknowledged in vain",
    net: "waiting for the disk (commits are acknowledged before they are made)",
    runs: (1, 10),
    servers: false,
    run: |plan| Box::pin(full(plan)),
};

async fn full(plan: Plan) -> Result<Facts> {
    let folder = tempfile::tempdir()?;
    let mut fleet = Fleet::new(&heedless(&plan.program, folder.path())?)?;
    let variables = plan.variables("commit");
    let others: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| *part != Part::Order)
        .collect();
    fleet.enlist("rest", &others, &[]);
    fleet.enlist("victim", &[Part::Order], &variables);
    blocking(|| fleet.start("rest").and_then(|_| fleet.start("victim")))?;
    let id = fleet.id("victim").context("a running process")?;
    let shop = customer(&fleet.settings).await?;
    let known = shop.place("pizza", 1, "before").await?;
    let load = Load::start(&shop, 4, "disk");
    let mut random = Random::new(plan.seed);
    for _ in 0..plan.runs {
        load.goes_on(4, Duration::from_secs(60)).await?;
        limit(id, Some(ROOM))?;
        until(plan.patience(Duration::from_secs(20)), || async {
            Ok(load.so_far().refused.contains_key("STORE_UNAVAILABLE"))
        })
        .await
        .map_err(|_| Violated("a full disk is not told of".to_owned()))?;
        shop.status(&known)
            .await
            .map_err(|error| Violated(format!("orders cannot be read: {error:#}")))?;
        tokio::time::sleep(random.millis(100, 1_000)).await;
        limit(id, None)?;
        let back = load.goes_on(4, plan.patience(Duration::from_secs(10))).await;
        back.map_err(|error| {
            let refused = load.so_far().refused;
            Violated(format!(
                "{error:#} after there was room again: {refused:?}, {}",
                fleet.last_words("victim")
            ))
        })?;
    }
    let mut tally = load.stop().await;
    tally.keys += 1;
    must(fleet.id("victim") == Some(id), || "the process ended".to_owned())?;
    let ledger = plan.audit(&fleet.settings, &tally).await?;
    fleet.without_panics()?;
    Ok(vec![format!(
        "{} times full, {} orders, refused {:?}, audit clean",
        plan.runs,
        ledger.orders.len(),
        tally.refused
    )])
}

/// The program as a process that is told of a file's limit by an error, not killed by a signal.
fn heedless(program: &str, folder: &std::path::Path) -> Result<String> {
    let script = folder.join("heedless");
    std::fs::write(
        &script,
        format!("#!/bin/sh\ntrap '' XFSZ\nexec '{program}' \"$@\"\n"),
    )?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    script.to_str().map(str::to_owned).context("a path is text")
}

fn limit(id: u32, bytes: Option<u64>) -> Result<()> {
    let bytes = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let done = Command::new("prlimit")
        .args(["--pid", &id.to_string(), &format!("--fsize={bytes}:")])
        .status()?;
    ensure!(done.success(), "prlimit sets no limit");
    Ok(())
}

//! The whole embedded platform in one process, killed again and again; now and then the last write to a file is torn,
//! as by a power cut.
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::services::blocking;
use crate::faults::fleet::Fleet;
use crate::faults::load::{Load, customer};
use crate::faults::random::Random;
use crate::faults::{Experiment, Facts, Plan, must, torn};

/// Customers ordering all the time.
const CUSTOMERS: usize = 4;
/// From its start to its readiness.
const START: Duration = Duration::from_secs(2);

/// 7.
pub const KILLED: Experiment = Experiment {
    name: "embedded-killed",
    fault: "kill -9 of the embedded platform; after every second one the last write to each file is torn",
    invariant: "what was acknowledged is there; started within 2 s; a torn tail is cut, not fatal",
    net: "waiting for the disk (commits are acknowledged before they are made)",
    runs: (2, 100),
    servers: false,
    run: |plan| Box::pin(killed(plan)),
};

async fn killed(plan: Plan) -> Result<Facts> {
    let mut fleet = Fleet::new(&plan.program)?;
    fleet.enlist("all", &[], &plan.variables("commit"));
    let (mut random, mut slowest, mut torn) = (Random::new(plan.seed), Duration::ZERO, 0);
    let mut tally = crate::faults::load::Tally::default();
    for run in 0..plan.runs {
        slowest = slowest.max(blocking(|| fleet.start("all"))?);
        let shop = customer(&fleet.settings).await?;
        let load = Load::start(&shop, CUSTOMERS, &format!("run{run}"));
        load.goes_on(2, Duration::from_secs(60)).await?;
        tokio::time::sleep(random.millis(50, 700)).await;
        blocking(|| fleet.kill("all"))?;
        tally.add(load.stop().await);
        if run % 2 == 1 {
            torn += tear(&fleet.settings.data, &mut random)?;
        }
    }
    let start = Instant::now();
    blocking(|| fleet.start("all"))?;
    slowest = slowest.max(start.elapsed());
    let ledger = plan.audit(&fleet.settings, &tally).await?;
    fleet.without_panics()?;
    must(plan.runs < 2 || torn > 0, || "no write was torn".to_owned())?;
    Ok(vec![
        format!(
            "{} deaths, {torn} torn tails, {} acknowledged orders",
            plan.runs,
            tally.acknowledged.len()
        ),
        plan.bound("slowest start", slowest, START)?,
        format!("audit clean: {} orders", ledger.orders.len()),
    ])
}

/// Tears the write that was under way in each write-ahead log.
fn tear(data: &Path, random: &mut Random) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(data)? {
        let path = entry?.path();
        let is_log = path.to_string_lossy().ends_with(".db-wal");
        if is_log && torn::tear(&path, random)? {
            count += 1;
        }
    }
    Ok(count)
}

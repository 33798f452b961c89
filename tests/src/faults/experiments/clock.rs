//! The wall clock of one process jumps by an hour, ahead and back.
use std::time::Duration;

use anyhow::Result;
use baedal::settings::Part;

use super::services::blocking;
use crate::faults::fleet::Fleet;
use crate::faults::load::{Load, customer};
use crate::faults::random::Random;
use crate::faults::{Experiment, Facts, Plan, Violated};

const HOUR_MS: i64 = 3_600_000;
/// Whose clock jumps.
const VICTIMS: [Part; 4] = [Part::Payment, Part::Store, Part::Marketing, Part::Order];

/// 26.
pub const CLOCK: Experiment = Experiment {
    name: "clock-jump",
    fault: "the clock of one service jumps an hour ahead, an hour back, and back to the truth",
    invariant: "orders go on once the clock is right again, and nothing waits for the hour to pass",
    net: "the bound on times that lie ahead",
    runs: (1, 16),
    servers: false,
    run: |plan| Box::pin(clock(plan)),
};

async fn clock(plan: Plan) -> Result<Facts> {
    let mut random = Random::new(plan.seed);
    let mut facts = Vec::new();
    let first = plan.seed as usize;
    for run in 0..plan.runs.min(4) {
        let part = VICTIMS[(first + run as usize) % 4];
        let jumps = plan.runs.div_ceil(4);
        // Under sabotage the store is the one that shows it.
        let part = if plan.sabotage { Part::Store } else { part };
        facts.push(jump(&plan, part, jumps, &mut random).await?);
    }
    Ok(facts)
}

async fn jump(plan: &Plan, part: Part, jumps: u32, random: &mut Random) -> Result<String> {
    let mut fleet = Fleet::new(&plan.program)?;
    let shift = fleet.settings.data.join("clock-shift");
    let variables = plan.variables("ahead");
    let others: Vec<Part> = Part::ALL.into_iter().filter(|other| *other != part).collect();
    let mut jumping = variables.clone();
    jumping.push(("BAEDAL_CLOCK_SHIFT", shift.display().to_string()));
    fleet.enlist("rest", &others, &variables);
    fleet.enlist("victim", &[part], &jumping);
    blocking(|| fleet.start("rest").and_then(|_| fleet.start("victim")))?;
    let shop = customer(&fleet.settings).await?;
    let load = Load::start(&shop, 4, "clock");
    load.goes_on(4, Duration::from_secs(60)).await?;
    for _ in 0..jumps {
        for by in [HOUR_MS, -HOUR_MS, 0] {
            std::fs::write(&shift, by.to_string())?;
            tokio::time::sleep(random.millis(400, 1_500)).await;
        }
        load.goes_on(4, plan.patience(Duration::from_secs(10))).await?;
    }
    let tally = load.stop().await;
    let strange = tally
        .refused
        .keys()
        .find(|code| !["UNAUTHENTICATED", "PAYMENT_UNAVAILABLE"].contains(&code.as_str()));
    if let Some(code) = strange {
        return Err(Violated(format!("a jump of {part}'s clock led to {code}")).into());
    }
    let ledger = plan.audit(&fleet.settings, &tally).await?;
    fleet.without_panics()?;
    Ok(format!(
        "{part}: {jumps} jumps there and back, {} orders, audit clean",
        ledger.orders.len()
    ))
}

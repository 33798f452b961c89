//! The network between order and payment breaks after payment has charged, before order has heard of it.
use std::time::{Duration, Instant};

use anyhow::Result;
use baedal::settings::Part;

use super::services::blocking;
use crate::faults::fleet::Fleet;
use crate::faults::load::{Load, Tally, customer};
use crate::faults::proxy::{Flow, Proxy};
use crate::faults::random::Random;
use crate::faults::{Experiment, Facts, Plan, must};

/// From the network's return until every charge nobody heard of is given back.
const GIVEN_BACK: Duration = Duration::from_secs(10);

/// 27.
pub const SPLIT: Experiment = Experiment {
    name: "network-split",
    fault: "answers of payment are held, thrown away, garbled or cut off after it has charged",
    invariant: "the order has failed and its charge is given back within 10 s of the network's return",
    net: "the void of a payment nobody heard of",
    runs: (2, 24),
    servers: false,
    run: |plan| Box::pin(split(plan)),
};

async fn split(plan: Plan) -> Result<Facts> {
    let mut fleet = Fleet::new(&plan.program)?;
    let proxy = Proxy::start(vec![fleet.settings.payment_grpc()]).await?;
    let variables = plan.variables("void");
    let mut rest = fleet.settings.clone();
    rest.only = Part::ALL
        .into_iter()
        .filter(|part| *part != Part::Payment)
        .collect();
    rest.ports.payment_grpc = proxy.address().port();
    fleet.enlist_as("rest", rest, &variables);
    fleet.enlist("payment", &[Part::Payment], &variables);
    blocking(|| fleet.start("payment").and_then(|_| fleet.start("rest")))?;
    let (mut random, mut slowest, mut all) = (Random::new(plan.seed), Duration::ZERO, Tally::default());
    for run in 0..plan.runs {
        let shop = customer(&fleet.settings).await?;
        let load = Load::start(&shop, 6, &format!("split-{run}"));
        load.goes_on(3, Duration::from_secs(60)).await?;
        break_network(&proxy, run, &mut random).await;
        proxy.heal();
        let healed = Instant::now();
        all.add(load.stop().await);
        plan.audit(&fleet.settings, &all).await?;
        slowest = slowest.max(healed.elapsed());
    }
    let ledger = plan.audit(&fleet.settings, &all).await?;
    let voided = ledger
        .payments
        .iter()
        .filter(|payment| payment.status == "VOIDED")
        .count();
    must(voided > 0, || {
        "no charge had to be given back: the split was none".to_owned()
    })?;
    fleet.without_panics()?;
    Ok(vec![
        format!(
            "{} splits, {} orders, {voided} charges voided, refused {:?}",
            plan.runs,
            all.acknowledged.len(),
            all.refused
        ),
        plan.bound("slowest settlement", slowest, GIVEN_BACK)?,
    ])
}

async fn break_network(proxy: &Proxy, run: u32, random: &mut Random) {
    match run % 4 {
        0 => proxy.set(|toxics| toxics.down = Flow::Hold),
        1 => proxy.set(|toxics| toxics.down = Flow::Drop),
        2 => proxy.set(|toxics| (toxics.up, toxics.down) = (Flow::Hold, Flow::Hold)),
        _ => proxy.set(|toxics| toxics.down = Flow::Garbage),
    }
    tokio::time::sleep(random.millis(700, 2_000)).await;
    // What hung in a broken connection is lost.
    proxy.cut();
}

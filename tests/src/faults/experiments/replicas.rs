//! Consumers come and go, some of them by `kill -9`: partitions move, effects do not repeat.
use std::time::Duration;

use anyhow::Result;
use baedal::settings::Part;

use super::services::blocking;
use crate::faults::fleet::Fleet;
use crate::faults::load::{Load, customer};
use crate::faults::random::Random;
use crate::faults::{Experiment, Facts, Plan};
use crate::world::free_ports;

/// The replicas that come and go.
const COMING: [&str; 2] = ["second", "third"];

/// 11.
pub const REPLICAS: Experiment = Experiment {
    name: "replicas",
    fault: "consumers of store and marketing 1 → 3 → 1 again and again, one of them killed in the middle of a batch",
    invariant: "each effect once, events of an order in order, nothing left behind",
    net: "the position of a consumer (committed before the events are handled)",
    runs: (1, 12),
    servers: false,
    run: |plan| Box::pin(replicas(plan)),
};

async fn replicas(plan: Plan) -> Result<Facts> {
    let mut fleet = Fleet::new(&plan.program)?;
    let moving = [Part::Store, Part::Marketing];
    let variables = plan.variables("position");
    let rest: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| !moving.contains(part))
        .collect();
    fleet.enlist("rest", &rest, &variables);
    fleet.enlist("first", &moving, &variables);
    for name in COMING {
        let (mut settings, ports) = (fleet.settings.clone(), free_ports()?);
        settings.only = moving.to_vec();
        (settings.ports.store, settings.ports.marketing) = (ports.store, ports.marketing);
        fleet.enlist_as(name, settings, &variables);
    }
    blocking(|| fleet.start("rest").and_then(|_| fleet.start("first")))?;
    let shop = customer(&fleet.settings).await?;
    let load = Load::start(&shop, 6, "replicas");
    load.goes_on(6, Duration::from_secs(60)).await?;
    let mut random = Random::new(plan.seed);
    let rest = if plan.timed { (3_000, 6_000) } else { (300, 800) };
    for _ in 0..plan.runs {
        blocking(|| fleet.start(COMING[0]))?;
        let batch = 1 + random.below(4);
        blocking(|| {
            fleet.start_to_die(
                COMING[1],
                format!("consumer.before_handle=kill@{batch}"),
                Duration::from_secs(60),
            )
        })?;
        tokio::time::sleep(random.millis(rest.0, rest.1)).await;
        blocking(|| fleet.start(COMING[1]))?;
        tokio::time::sleep(random.millis(rest.0, rest.1)).await;
        blocking(|| fleet.terminate(COMING[0]))?;
        blocking(|| fleet.kill(COMING[1]))?;
        load.goes_on(1, plan.patience(Duration::from_secs(10))).await?;
    }
    let tally = load.stop().await;
    let ledger = plan.audit(&fleet.settings, &tally).await?;
    fleet.without_panics()?;
    Ok(vec![format!(
        "{} rounds, {} orders, {} delivered, audit clean",
        plan.runs,
        tally.acknowledged.len(),
        ledger.feed.len()
    )])
}

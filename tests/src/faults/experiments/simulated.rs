//! The deterministic simulation, many seeds of it; and every event three times in any order.
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Result, anyhow};
use baedal_kit::failpoint;

use crate::faults::{Experiment, Facts, Plan, Violated, must};
use crate::simulation::{Outcome, Weather, run};

/// The safety nets of the simulation; each must be missed.
const NETS: [&str; 4] = ["outbox", "position", "void", "park"];

/// Deterministic simulation.
pub const SIMULATION: Experiment = Experiment {
    name: "simulation",
    fault: "messages lost, late and held, events published twice, hosts crashing, all of it simulated from a seed",
    invariant: "the audit is clean 30 s after the weather has cleared",
    net: "outbox, position, void and parking, one after another",
    runs: (50, 1000),
    servers: false,
    run: |plan| Box::pin(async move { on_a_thread(move || simulation(&plan)).await }),
};

/// 28.
pub const SHUFFLED: Experiment = Experiment {
    name: "shuffled",
    fault: "every event comes three times, in any order (simulated)",
    invariant: "each order comes to the same end as in a clean run",
    net: "the parking of news that come before their turn",
    runs: (2, 200),
    servers: false,
    run: |plan| Box::pin(async move { on_a_thread(move || shuffled(&plan)).await }),
};

async fn on_a_thread(work: impl FnOnce() -> Result<Facts> + Send + 'static) -> Result<Facts> {
    tokio::task::spawn_blocking(work).await?
}

fn simulation(plan: &Plan) -> Result<Facts> {
    if !plan.sabotage {
        return Ok(vec![summary(&seeds(plan, &[])?)]);
    }
    let mut red = Vec::new();
    for net in NETS {
        match seeds(plan, &[net]) {
            Ok(_) => return Ok(vec![format!("nobody misses the {net}")]),
            Err(error) => {
                let violated = error.downcast::<Violated>()?;
                eprintln!("without {net}: {violated}");
                red.push(format!("{net}: {violated}"));
            }
        }
    }
    Err(Violated(red.join(" | ")).into())
}

/// Runs of consecutive seeds, on every core.
fn seeds(plan: &Plan, nets: &[&str]) -> Result<Vec<Outcome>> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let red = &AtomicBool::new(false);
    let outcomes = thread::scope(|scope| {
        let share = |core: usize| {
            let seeds = (plan.seed..plan.seed + u64::from(plan.runs))
                .skip(core)
                .step_by(cores);
            scope.spawn(move || {
                failpoint::sabotage_this_thread(nets);
                let on = seeds.take_while(|_| !red.load(Ordering::Relaxed));
                on.map(|seed| one(seed).inspect_err(|_| red.store(true, Ordering::Relaxed)))
                    .collect::<Result<Vec<Outcome>>>()
            })
        };
        let threads: Vec<_> = (0..cores).map(share).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Result<Vec<Outcome>>>| {
            thread
                .join()
                .map_err(|_| anyhow!("a simulation panicked"))
                .flatten()
        };
        threads.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    Ok(outcomes.into_iter().flatten().collect())
}

fn one(seed: u64) -> Result<Outcome> {
    run(seed, Weather::stormy()).map_err(|error| match error.downcast::<Violated>() {
        Ok(violated) => Violated(format!("seed {seed}: {violated}")).into(),
        Err(error) => error.context(format!("seed {seed}")),
    })
}

fn summary(outcomes: &[Outcome]) -> String {
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>();
    format!(
        "{} seeds: {} crashes, {} cuts, {} events, {} orders, {} simulated minutes; audits clean",
        outcomes.len(),
        sum(|outcome| u64::from(outcome.crashes)),
        sum(|outcome| u64::from(outcome.cuts)),
        sum(|outcome| outcome.events() as u64),
        sum(|outcome| outcome.acknowledged as u64),
        sum(|outcome| outcome.elapsed.as_secs()) / 60
    )
}

fn shuffled(plan: &Plan) -> Result<Facts> {
    let (mut orders, mut events) = (0, 0);
    for seed in plan.seed..plan.seed + u64::from(plan.runs) {
        let clean = run(seed, Weather::fine())?;
        failpoint::sabotage_this_thread(if plan.sabotage { &["park"] } else { &[] });
        let shuffled = run(seed, Weather::shuffled());
        failpoint::sabotage_this_thread(&[]);
        let shuffled = shuffled?;
        let differ = clean
            .ends
            .iter()
            .find(|(key, end)| shuffled.ends.get(*key) != Some(end));
        if let Some((key, end)) = differ {
            let other = shuffled.ends.get(key);
            return Err(Violated(format!("seed {seed}: {key} is {end}, shuffled {other:?}")).into());
        }
        must(
            clean.ends.len() == shuffled.ends.len() && !clean.ends.is_empty(),
            || {
                format!(
                    "seed {seed}: {} orders, shuffled {}",
                    clean.ends.len(),
                    shuffled.ends.len()
                )
            },
        )?;
        orders += clean.ends.len();
        events += shuffled.events();
    }
    Ok(vec![format!(
        "{} seeds, {orders} orders, {events} events three times each: every end the same",
        plan.runs
    )])
}

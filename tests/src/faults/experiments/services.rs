//! `kill -9` of one service under load, at random moments and at every named point on its way.
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use baedal::settings::Part;

use crate::audit::Ledger;
use crate::faults::fleet::{Fleet, holdings};
use crate::faults::load::{Load, Tally, customer};
use crate::faults::random::Random;
use crate::faults::{Experiment, Facts, Plan, Violated, must};
use crate::patience::until;

/// Customers ordering all the time.
const CUSTOMERS: usize = 8;
/// Deaths under one login.
const SHIFT: usize = 25;
/// How long a process may take to be led to a failpoint.
const LED: Duration = Duration::from_secs(60);
/// From its start to its readiness.
const RESTART: Duration = Duration::from_secs(3);
/// How long an order may be refused for want of payment: order's deadline, and a little.
const REFUSAL: Duration = Duration::from_millis(660);
/// Orders a store catches up with, and in what time.
const BACKLOG: (usize, Duration) = (1000, Duration::from_secs(10));

/// Points every service passes.
const PLUMBING: [&str; 6] = [
    "tx.before_commit",
    "tx.after_commit",
    "relay.before_send",
    "relay.after_send",
    "consumer.before_handle",
    "consumer.after_handle",
];

/// A service that is to die.
#[derive(Clone, Copy)]
struct Victim {
    part: Part,
    /// Points on its way that others do not have.
    points: &'static [&'static str],
    /// The safety net that is taken away, and the point where its absence shows.
    net: (&'static str, &'static str),
    /// Whether orders are taken without it.
    dispensable: bool,
}

const ORDER_DIES: Victim = Victim {
    part: Part::Order,
    points: &[
        "order.before_payment",
        "order.after_payment",
        "order.before_reply",
    ],
    net: ("outbox", "relay.before_send"),
    dispensable: false,
};

const PAYMENT_DIES: Victim = Victim {
    part: Part::Payment,
    points: &[
        "payment.before_charge",
        "payment.after_charge",
        "payment.before_reply",
    ],
    net: ("void", "payment.before_reply"),
    dispensable: false,
};

const STORE_DIES: Victim = Victim {
    part: Part::Store,
    points: &[],
    net: ("position", "consumer.before_handle"),
    dispensable: true,
};

const MARKETING_DIES: Victim = Victim {
    part: Part::Marketing,
    points: &[],
    net: ("position", "consumer.before_handle"),
    dispensable: true,
};

/// 1.
pub const ORDER: Experiment = Experiment {
    name: "order-killed",
    fault: "kill -9 of order, at random and at each failpoint",
    invariant: "what was acknowledged is there, each effect once; serving again within 3 s",
    net: "the outbox (events are marked as sent before they are)",
    runs: (1, 100),
    servers: false,
    run: |plan| Box::pin(killed(plan, ORDER_DIES)),
};

/// 2.
pub const PAYMENT: Experiment = Experiment {
    name: "payment-killed",
    fault: "kill -9 of payment, at random and at each failpoint",
    invariant: "no order unpaid, none paid twice; calls fail within 660 ms",
    net: "the void of a payment nobody heard of",
    runs: (2, 100),
    servers: false,
    run: |plan| Box::pin(killed(plan, PAYMENT_DIES)),
};

/// 3.
pub const STORE: Experiment = Experiment {
    name: "store-killed",
    fault: "kill -9 of store, at random and at each failpoint",
    invariant: "every order is taken meanwhile; 1 000 waiting orders are caught up with in 10 s",
    net: "the position of a consumer (committed before the events are handled)",
    runs: (1, 100),
    servers: false,
    run: |plan| Box::pin(killed(plan, STORE_DIES)),
};

/// 4.
pub const MARKETING: Experiment = Experiment {
    name: "marketing-killed",
    fault: "kill -9 of marketing, at random and at each failpoint",
    invariant: "every order is taken meanwhile, as fast as before; coupon and points once per delivery",
    net: "the position of a consumer (committed before the events are handled)",
    runs: (1, 100),
    servers: false,
    run: |plan| Box::pin(killed(plan, MARKETING_DIES)),
};

impl Victim {
    fn all_points(&self) -> Vec<&'static str> {
        PLUMBING.iter().chain(self.points).copied().collect()
    }
}

async fn killed(plan: Plan, victim: Victim) -> Result<Facts> {
    let variables = plan.variables(victim.net.0);
    let mut fleet = blocking(|| Fleet::of_two(&plan.program, &[victim.part], &variables))?;
    let shop = customer(&fleet.settings).await?;
    let load = Load::start(&shop, CUSTOMERS, "calm");
    load.goes_on(CUSTOMERS, LED).await?;
    let before = fleet.id("rest").and_then(holdings);
    let calm = Instant::now();
    if plan.timed {
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
    let mut tally = load.stop().await;
    let storm = Instant::now();
    let (mut random, mut deaths) = (Random::new(plan.seed), Deaths::default());
    for first in (0..plan.runs).step_by(SHIFT) {
        // A token holds for ten minutes.
        let shop = customer(&fleet.settings).await?;
        let load = Load::start(&shop, CUSTOMERS, &format!("from-{first}"));
        for run in first..plan.runs.min(first + SHIFT as u32) {
            deaths
                .die(&plan, victim, (run, &mut random), (&mut fleet, &load))
                .await?;
        }
        tally.add(load.stop().await);
    }
    let end = Instant::now();
    let mut facts = vec![deaths.words(&plan)?];
    facts.push(words(&tally, end - calm));
    facts.extend(of_payment(&plan, victim, &tally)?);
    facts.extend(of_dispensable(&plan, victim, &tally, (calm, storm, end))?);
    let ledger = plan.audit(&fleet.settings, &tally).await?;
    if plan.timed && victim.part == Part::Store {
        facts.push(catch_up(&plan, &mut fleet).await?);
    }
    fleet.without_panics()?;
    facts.extend(baseline(before, fleet.id("rest").and_then(holdings))?);
    facts.push(format!(
        "audit clean: {} orders, {} delivered",
        ledger.orders.len(),
        ledger.feed.len()
    ));
    Ok(facts)
}

/// How often it died where, and how long it took to come back.
#[derive(Default)]
struct Deaths {
    at: BTreeMap<&'static str, u32>,
    slowest: Duration,
}

impl Deaths {
    /// One death and the start after it: at each named point in turn, every other time at a random moment.
    async fn die(
        &mut self,
        plan: &Plan,
        victim: Victim,
        (run, random): (u32, &mut Random),
        (fleet, load): (&mut Fleet, &Load),
    ) -> Result<()> {
        let points = victim.all_points();
        let point = match (plan.sabotage, run % 2) {
            (true, _) => Some(victim.net.1),
            (false, 0) => Some(points[(plan.seed as usize + run as usize / 2) % points.len()]),
            (false, _) => None,
        };
        if point.is_none() {
            tokio::time::sleep(random.millis(50, 700)).await;
        }
        blocking(|| fleet.kill("victim"))?;
        if let Some(point) = point {
            let failpoint = format!("{point}=kill@{}", 1 + random.below(8));
            blocking(|| fleet.start_to_die("victim", failpoint, LED))?;
        }
        *self.at.entry(point.unwrap_or("random")).or_default() += 1;
        self.slowest = self.slowest.max(blocking(|| fleet.start("victim"))?);
        load.goes_on(1, plan.patience(Duration::from_secs(10))).await?;
        Ok(())
    }

    fn words(&self, plan: &Plan) -> Result<String> {
        let total: u32 = self.at.values().sum();
        let at: Vec<String> = self
            .at
            .iter()
            .map(|(point, count)| format!("{point} {count}"))
            .collect();
        let restart = plan.bound("slowest restart", self.slowest, RESTART)?;
        Ok(format!("{total} deaths ({}), {restart}", at.join(", ")))
    }
}

fn words(tally: &Tally, took: Duration) -> String {
    let count = tally.acknowledged.len();
    format!(
        "{count} orders in {:.0} s ({:.0}/s), {} requests without an answer, refused {:?}",
        took.as_secs_f64(),
        count as f64 / took.as_secs_f64(),
        tally.unanswered,
        tally.refused
    )
}

fn of_payment(plan: &Plan, victim: Victim, tally: &Tally) -> Result<Option<String>> {
    if victim.part != Part::Payment {
        return Ok(None);
    }
    let longest = tally.refusals.iter().max().copied().unwrap_or_default();
    plan.bound("longest refusal", longest, REFUSAL).map(Some)
}

/// Nobody who orders notices the death of a service that is not needed for it.
fn of_dispensable(
    plan: &Plan,
    victim: Victim,
    tally: &Tally,
    (calm, storm, end): (Instant, Instant, Instant),
) -> Result<Option<String>> {
    if !victim.dispensable {
        return Ok(None);
    }
    let overloaded = tally.refused.keys().all(|code| code == "PAYMENT_UNAVAILABLE");
    must(
        tally.unanswered == 0 && (tally.refused.is_empty() || (!plan.timed && overloaded)),
        || {
            format!(
                "orders failed: {:?}, {} without an answer",
                tally.refused, tally.unanswered
            )
        },
    )?;
    let (before, during) = (
        tally.percentile(99, calm, storm),
        tally.percentile(99, storm, end),
    );
    Ok(plan
        .timed
        .then(|| format!("p99 of ordering {before:.0?} before, {during:.0?} during")))
}

/// A store that was away while orders came in delivers them all soon after its start.
async fn catch_up(plan: &Plan, fleet: &mut Fleet) -> Result<String> {
    let (count, bound) = BACKLOG;
    blocking(|| fleet.kill("victim"))?;
    let shop = customer(&fleet.settings).await?;
    let orders = shop.place_many(count, "backlog").await?;
    blocking(|| fleet.start("victim"))?;
    let start = Instant::now();
    until(plan.patience(bound), || async {
        let ledger = Ledger::read(&fleet.settings).await?;
        let delivered = ledger.orders.iter().filter(|order| order.status == "DELIVERED");
        let delivered: std::collections::BTreeSet<&str> = delivered.map(|order| order.id.as_str()).collect();
        Ok(orders.iter().all(|id| delivered.contains(id.as_str())))
    })
    .await
    .map_err(|error| Violated(format!("{count} waiting orders: {error:#}")))?;
    plan.bound("1 000 waiting orders delivered in", start.elapsed(), bound)
}

/// Open files of a process that lived through it all are back where they were.
fn baseline(before: Option<(usize, u64)>, after: Option<(usize, u64)>) -> Result<Option<String>> {
    let (Some((files, memory)), Some((files_after, memory_after))) = (before, after) else {
        return Ok(None);
    };
    must(files_after <= files + files / 10 + 16, || {
        format!("open files of the survivors grew from {files} to {files_after}")
    })?;
    Ok(Some(format!(
        "survivors: files {files} → {files_after}, memory {memory} → {memory_after} MiB"
    )))
}

/// Waits for processes on a thread that may block.
pub(super) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

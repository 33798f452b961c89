//! The platform as a deterministic simulation: order, payment, store, marketing and the event log as hosts of
//! [turmoil](https://docs.rs/turmoil), each with its real application, domain, consumers and outbox relay, over stores and
//! a log in memory that outlive their crashes. Time is simulated and every choice comes from the seed.
//!
//! [`run`] lets customers order and cancel while messages are lost and delayed, links are cut, events come twice, and
//! hosts crash and come back; then the weather clears and the ledger audit must pass.
mod hosts;
mod log;
mod marketing;
mod memory;
mod order;
mod payment;
mod store;
mod wire;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, anyhow};
use turmoil::{Builder, Sim};

use crate::audit::{Ledger, problems};
use crate::faults::Violated;
use crate::faults::random::Random;
use hosts::World;

/// What the simulation advances by: latencies and deadlines are finer, hosts see each other's messages this often.
const TICK: Duration = Duration::from_millis(10);
/// How long customers may take, in simulated time.
const ORDERING: Duration = Duration::from_secs(300);
/// How long the platform may take to settle once the weather is fine: the audit's bound, and the sweeps and sessions
/// before it.
const SETTLING: Duration = Duration::from_secs(30);
/// The hosts that crash.
const HOSTS: [&str; 5] = ["log", "order", "payment", "store", "marketing"];
/// Links that are cut.
const LINKS: [(&str, &str); 9] = [
    ("order", "payment"),
    ("order", "payment"),
    ("order", "log"),
    ("payment", "log"),
    ("store", "log"),
    ("marketing", "log"),
    ("customers", "order"),
    ("customers", "order"),
    ("order", "payment"),
];

thread_local! {
    /// What has happened so far in the simulation of this thread.
    static STORY: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Something happens on a host, now.
fn note(what: String) {
    let now = turmoil::sim_elapsed().unwrap_or_default();
    STORY.with_borrow_mut(|story| story.push(format!("{now:?} {what}")));
}

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Crashes and cuts, each in so many thousandths of the ticks.
    pub storm: u64,
    /// Messages that begin a loss on their link, in thousandths.
    pub loss: u64,
    /// Events that are published twice, in hundredths.
    pub twice: u64,
    /// Every event comes three times, in any order.
    pub shuffled: bool,
    /// How many orders.
    pub orders: usize,
    /// One of so many orders is cancelled; 0 for none.
    pub cancel: usize,
    /// How long a store takes for each step.
    pub step: Duration,
}

impl Weather {
    /// Everything at once.
    pub fn stormy() -> Weather {
        Weather {
            storm: 12,
            loss: 4,
            twice: 10,
            shuffled: false,
            orders: 16,
            cancel: 4,
            step: Duration::from_millis(200),
        }
    }

    /// Nothing.
    pub fn fine() -> Weather {
        Weather {
            storm: 0,
            loss: 0,
            twice: 0,
            step: Duration::from_millis(2_500),
            ..Weather::stormy()
        }
    }

    /// Nothing but every event three times, in any order.
    pub fn shuffled() -> Weather {
        Weather {
            shuffled: true,
            ..Weather::fine()
        }
    }
}

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Every request between hosts and every published event, with its time.
    pub story: Vec<String>,
    /// Crashes of hosts.
    pub crashes: u32,
    /// Cuts of links.
    pub cuts: u32,
    /// Acknowledged orders.
    pub acknowledged: usize,
    /// Simulated time.
    pub elapsed: Duration,
    /// What each order, by its customer's key, came to.
    pub ends: BTreeMap<String, String>,
}

impl Outcome {
    /// How many events were published.
    pub fn events(&self) -> usize {
        self.story
            .iter()
            .filter(|line| !line.contains(" is asked "))
            .count()
    }
}

/// One run.
///
/// # Errors
/// [`Violated`] with what the audit finds after the weather has cleared, or that it never came to rest.
pub fn run(seed: u64, weather: Weather) -> Result<Outcome> {
    baedal_kit::retry::seed_jitter(seed);
    STORY.set(Vec::new());
    let world = Arc::new(World::new(seed, weather));
    let mut sim = build(seed, weather);
    hosts::populate(&mut sim, &world);
    let mut storm = Storm::new(seed, weather);
    let acknowledged = world.acknowledged.clone();
    storm.until_all_have_ordered(&mut sim)?;
    storm.clear(&mut sim);
    let orders: Vec<String> = lock(&acknowledged).clone();
    let ledger = settle(&mut sim, &world, &orders)?;
    Ok(Outcome {
        story: STORY.take(),
        crashes: storm.crashes,
        cuts: storm.cuts,
        acknowledged: orders.len(),
        elapsed: sim.elapsed(),
        ends: ends(&world, &ledger),
    })
}

fn build(seed: u64, weather: Weather) -> Sim<'static> {
    let mut builder = Builder::new();
    builder
        .rng_seed(seed)
        .tick_duration(TICK)
        .simulation_duration(ORDERING * 10)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(40))
        .fail_rate(weather.loss as f64 / 1000.0)
        .repair_rate(0.2);
    builder.build()
}

fn settle(sim: &mut Sim<'_>, world: &World, acknowledged: &[String]) -> Result<Ledger> {
    let end = sim.elapsed() + SETTLING;
    loop {
        for _ in 0..20 {
            step(sim)?;
        }
        let ledger = world.ledger();
        let found = problems(&ledger, acknowledged);
        if found.is_empty() && world.log.is_quiet() {
            return Ok(ledger);
        }
        if sim.elapsed() > end {
            let found = found[..found.len().min(5)].join("; ");
            return Err(Violated(format!(
                "not at rest {SETTLING:?} after the weather has cleared: {found}"
            ))
            .into());
        }
    }
}

fn step(sim: &mut Sim<'_>) -> Result<bool> {
    sim.step()
        .map_err(|error| anyhow!("the simulation broke: {error}"))
}

/// What an order came to, without its id and without times.
fn ends(world: &World, ledger: &Ledger) -> BTreeMap<String, String> {
    let keys = world.order.keys();
    let end = |order: &crate::audit::OrderRow| {
        let payment = ledger
            .payments
            .iter()
            .find(|payment| payment.order_id == order.id);
        let payment = payment.map(|payment| (payment.status.as_str(), payment.amount));
        let ticket = ledger
            .tickets
            .iter()
            .find(|(id, _)| *id == order.id)
            .map(|(_, status)| status);
        // Whether the store had received what was cancelled depends on the order of events.
        let ticket = ticket.filter(|status| *status != "CANCELLED");
        let points: i64 = ledger
            .points
            .iter()
            .filter(|(id, ..)| *id == order.id)
            .map(|(.., points)| points)
            .sum();
        let shown = ledger.feed.iter().filter(|(_, _, id)| *id == order.id).count();
        format!(
            "{} {} {payment:?} {ticket:?} {points} points, {shown} in the feed",
            order.status, order.total
        )
    };
    let named = |order: &crate::audit::OrderRow| Some((keys.get(&order.id)?.clone(), end(order)));
    ledger.orders.iter().filter_map(named).collect()
}

/// What is broken at the moment, and until when.
struct Storm {
    random: Random,
    weather: Weather,
    down: BTreeMap<&'static str, Duration>,
    cut: BTreeMap<(&'static str, &'static str), Duration>,
    crashes: u32,
    cuts: u32,
}

impl Storm {
    fn new(seed: u64, weather: Weather) -> Storm {
        Storm {
            random: Random::new(seed),
            weather,
            down: BTreeMap::new(),
            cut: BTreeMap::new(),
            crashes: 0,
            cuts: 0,
        }
    }

    fn until_all_have_ordered(&mut self, sim: &mut Sim<'_>) -> Result<()> {
        while !step(sim)? {
            if sim.elapsed() > ORDERING {
                return Err(Violated(format!("the customers are not served within {ORDERING:?}")).into());
            }
            self.rage(sim);
        }
        Ok(())
    }

    fn rage(&mut self, sim: &mut Sim<'_>) {
        let now = sim.elapsed();
        self.mend(sim, now);
        if self.random.below(1000) < self.weather.storm {
            let host = *self.random.pick(&HOSTS);
            if !self.down.contains_key(host) {
                wire::crash(|| sim.crash(host));
                self.crashes += 1;
                self.down.insert(host, now + self.random.millis(20, 1500));
            }
        }
        if self.random.below(1000) < self.weather.storm {
            let (a, b) = *self.random.pick(&LINKS);
            if !self.cut.contains_key(&(a, b)) {
                // A message that is held comes late, one on a cut link never.
                match self.random.chance(50) {
                    true => sim.partition(a, b),
                    false => sim.hold(a, b),
                }
                self.cuts += 1;
                self.cut.insert((a, b), now + self.random.millis(20, 2000));
            }
        }
    }

    fn mend(&mut self, sim: &mut Sim<'_>, now: Duration) {
        let up: BTreeSet<&'static str> = self
            .down
            .iter()
            .filter(|(_, end)| **end <= now)
            .map(|(host, _)| *host)
            .collect();
        for host in up {
            sim.bounce(host);
            self.down.remove(host);
        }
        let whole: Vec<_> = self
            .cut
            .iter()
            .filter(|(_, end)| **end <= now)
            .map(|(link, _)| *link)
            .collect();
        for (a, b) in whole {
            sim.release(a, b);
            sim.repair(a, b);
            self.cut.remove(&(a, b));
        }
    }

    /// Everything works again.
    fn clear(&mut self, sim: &mut Sim<'_>) {
        sim.set_fail_rate(0.0);
        self.mend(sim, Duration::MAX);
        for (a, b) in LINKS {
            sim.repair(a, b);
        }
    }
}

/// A lock that no panic of another holder concerns.
fn lock<T: ?Sized>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

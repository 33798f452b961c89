//! A subgraph becomes slow, then hopelessly slow, then says nothing any more: who asks for its data is answered without
//! them, in time, and who does not notices nothing.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use baedal::settings::{Part, Settings};
use baedal_router::config::Config;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::services::blocking;
use crate::client::Client;
use crate::faults::fleet::Fleet;
use crate::faults::gateway;
use crate::faults::load::{Load, customer};
use crate::faults::proxy::{Flow, Proxy};
use crate::faults::{Experiment, Facts, Plan, Violated, must};
use crate::patience::until;

/// How long the gateway waits for store.
const DEADLINE: Duration = Duration::from_secs(1);
/// What an answer without the slow subgraph may take: two of its fields, one after the other, and a little.
const ANSWER: Duration = Duration::from_millis(1_500);
/// How long the circuit stays open.
const OPEN_FOR: Duration = Duration::from_secs(2);
/// From the end of the fault until its data are there again.
const WHOLE_AGAIN: Duration = Duration::from_secs(5);
/// Who looks at orders all the time, more than the breaker needs to judge.
const LOOKERS: usize = 16;
/// Order answers, payment answers, and store is asked for the name.
const LOOK: &str = "{ myOrders(first: 3) { nodes { id status store { name } } } }";
/// What is said at the place of what is missing.
const MISSING: [&str; 3] = ["SUBGRAPH_TIMEOUT", "SUBGRAPH_CIRCUIT_OPEN", "SUBGRAPH_BUSY"];

/// 16.
pub const SLOW: Experiment = Experiment {
    name: "subgraph-slow",
    fault: "store answers after some 500 ms, then never, then after 10 s",
    invariant: "an answer within 1.5 s, with an error where its data would be; the circuit opens; orders go on",
    net: "the deadline and the circuit breaker of calls to subgraphs",
    runs: (1, 4),
    servers: false,
    run: |plan| Box::pin(slow(plan)),
};

async fn slow(plan: Plan) -> Result<Facts> {
    let mut fleet = Fleet::new(&plan.program)?;
    let services: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| *part != Part::Gateway)
        .collect();
    fleet.enlist("services", &services, &[]);
    blocking(|| fleet.start("services"))?;
    let proxy = Proxy::start(vec![fleet.settings.listen(Part::Store)]).await?;
    let gateway = baedal_router::start(config(&plan, &fleet.settings, &proxy)?).await?;
    let shop = customer(&fleet.settings).await?;
    let load = Load::start(&shop, 4, "slow");
    load.goes_on(8, Duration::from_secs(60)).await?;
    let mut facts = Vec::new();
    let calm = Instant::now();
    let looks = Looks::during(&shop.client, seconds(&plan, 3)).await;
    must(looks.missing.is_empty(), || {
        format!("data are missing before anything is slow: {:?}", looks.missing)
    })?;
    let storm = Instant::now();
    for run in 0..plan.runs {
        facts.extend(one(&plan, &proxy, &shop.client, run).await?);
    }
    let end = Instant::now();
    let tally = load.stop().await;
    let overloaded = tally.refused.keys().all(|code| code == "PAYMENT_UNAVAILABLE");
    must(
        tally.unanswered == 0 && (tally.refused.is_empty() || (!plan.timed && overloaded)),
        || {
            format!(
                "orders failed for a slow store: {:?}, {} unanswered",
                tally.refused, tally.unanswered
            )
        },
    )?;
    let (before, during) = (
        tally.percentile(99, calm, storm),
        tally.percentile(99, storm, end),
    );
    facts.push(format!(
        "p99 of ordering {before:.0?} before, {during:.0?} during"
    ));
    let ledger = plan.audit(&fleet.settings, &tally).await?;
    gateway.shutdown().await;
    fleet.without_panics()?;
    facts.push(format!("audit clean: {} orders", ledger.orders.len()));
    Ok(facts)
}

/// The gateway's configuration: store is behind the proxy.
fn config(plan: &Plan, settings: &Settings, proxy: &Proxy) -> Result<Config> {
    let mut config = gateway::config(settings, |part| match part {
        Part::Store => proxy.address(),
        _ => settings.listen(part),
    })?;
    let breaker = &mut config.traffic.breaker;
    (breaker.open_for, breaker.window) = (Some(OPEN_FOR), Some(2 * DEADLINE));
    (breaker.min_calls, breaker.enabled) = (Some(8), Some(!plan.sabotage));
    // Orders go their own way, however busy the machine is.
    let store = config.subgraphs.get_mut(Part::Store.name());
    let patience = if plan.sabotage {
        Duration::from_secs(3_600)
    } else {
        DEADLINE
    };
    store.context("store is a subgraph")?.timeout = Some(patience);
    Ok(config)
}

/// Slower and slower, and well again.
async fn one(plan: &Plan, proxy: &Proxy, client: &Client, run: u32) -> Result<Facts> {
    // There and back.
    proxy.set(|toxics| {
        (toxics.latency, toxics.jitter) = (Duration::from_millis(200), Duration::from_millis(110));
    });
    let slow = Looks::during(client, seconds(plan, 3)).await;
    must(!plan.timed || slow.missing.is_empty(), || {
        format!("data that come in time are missing: {:?}", slow.missing)
    })?;
    let mut facts = vec![slow.told(plan, "slow")?];
    let worse = [("silent", true), ("10 s late", false)];
    for (name, silent) in worse.into_iter().take(if plan.timed { 2 } else { 1 }) {
        proxy.set(|toxics| {
            (toxics.latency, toxics.jitter) = (Duration::from_secs(10), Duration::ZERO);
            toxics.down = if silent { Flow::Hold } else { Flow::Pass };
        });
        let looks = Looks::during(client, seconds(plan, 8).max(4 * DEADLINE)).await;
        facts.push(looks.told(plan, name)?);
        must(!looks.missing.is_empty(), || {
            format!("nothing is missing while store is {name}")
        })?;
        let opened = looks.missing.iter().any(|code| code == "SUBGRAPH_CIRCUIT_OPEN");
        must(opened, || {
            format!("the circuit stays closed while store is {name}")
        })?;
    }
    proxy.heal();
    proxy.cut();
    let healed = Instant::now();
    until(plan.patience(WHOLE_AGAIN), || async {
        let looks = Looks::during(client, Duration::from_millis(1)).await;
        Ok(looks.strange.is_empty() && looks.missing.is_empty())
    })
    .await
    .map_err(|error| Violated(format!("store is well, and its data stay away: {error:#}")))?;
    facts.push(plan.bound("whole again", healed.elapsed(), WHOLE_AGAIN)?);
    Ok(facts
        .into_iter()
        .map(|fact| format!("{}: {fact}", run + 1))
        .collect())
}

/// How long a part of the experiment lasts; in its short form a second.
fn seconds(plan: &Plan, long: u64) -> Duration {
    Duration::from_secs(if plan.timed { long } else { 1 })
}

/// What those who look were answered.
#[derive(Default)]
struct Looks {
    whole: usize,
    /// Codes at the place of store's data.
    missing: Vec<String>,
    /// What should never be answered.
    strange: Vec<String>,
    longest: Duration,
}

impl Looks {
    /// Looks again and again for so long; each looks once at least.
    async fn during(client: &Client, time: Duration) -> Looks {
        let running = Arc::new(AtomicBool::new(true));
        let mut lookers = JoinSet::new();
        for _ in 0..LOOKERS {
            let (client, running) = (client.within(Duration::from_secs(20)), running.clone());
            lookers.spawn(async move {
                let mut looks = Looks::default();
                loop {
                    looks.look(&client).await;
                    if !running.load(Ordering::Relaxed) {
                        return looks;
                    }
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
            });
        }
        tokio::time::sleep(time).await;
        running.store(false, Ordering::Relaxed);
        let mut all = Looks::default();
        while let Some(looks) = lookers.join_next().await {
            all.add(looks.expect("a looker does not panic"));
        }
        all
    }

    async fn look(&mut self, client: &Client) {
        let asked = Instant::now();
        let answer = client.send(LOOK, json!({})).await;
        self.longest = self.longest.max(asked.elapsed());
        match answer {
            Ok((_, body)) => match missing(&body) {
                Ok(None) => self.whole += 1,
                Ok(Some(code)) => self.missing.push(code),
                Err(strange) => self.strange.push(strange),
            },
            Err(error) => self.strange.push(format!("no answer: {:#}", error)),
        }
    }

    fn add(&mut self, other: Looks) {
        self.whole += other.whole;
        self.missing.extend(other.missing);
        self.strange.extend(other.strange);
        self.longest = self.longest.max(other.longest);
    }

    fn told(&self, plan: &Plan, name: &str) -> Result<String> {
        if let Some(strange) = self.strange.first() {
            return Err(Violated(format!("while store is {name}: {strange}")).into());
        }
        let bound = plan.bound("longest answer", self.longest, ANSWER)?;
        let (whole, missing) = (self.whole, self.missing.len());
        Ok(format!("{name}: {whole} whole, {missing} without store, {bound}"))
    }
}

/// The code at the place of store's data, where they are missing; what is of order must be there.
fn missing(body: &Value) -> Result<Option<String>, String> {
    let strange = || format!("a strange answer: {body}");
    let nodes = body["data"]["myOrders"]["nodes"].as_array().ok_or_else(strange)?;
    let of_order = |node: &Value| node["id"].is_string() && node["status"].is_string();
    if nodes.is_empty() || !nodes.iter().all(of_order) {
        return Err(strange());
    }
    let named = nodes.iter().all(|node| node["store"]["name"].is_string());
    let Some(errors) = body["errors"].as_array() else {
        return if named { Ok(None) } else { Err(strange()) };
    };
    let at_store = |error: &Value| {
        let path = error["path"].as_array();
        let path: Vec<&Value> = path.into_iter().flatten().collect();
        matches!(path[..], [root, list, place, of, ..] if *root == "myOrders" && *list == "nodes" && place.is_u64() && *of == "store")
    };
    let code = errors[0]["extensions"]["code"].as_str().unwrap_or_default();
    match !named && errors.iter().all(at_store) && MISSING.contains(&code) {
        true => Ok(Some(code.to_owned())),
        false => Err(strange()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_in_its_place_explains_what_is_missing() {
        let node = |store: Value| json!({ "id": "o", "status": "PLACED", "store": store });
        let whole = json!({ "data": { "myOrders": { "nodes": [node(json!({ "name": "서울" }))] } } });
        assert_eq!(missing(&whole), Ok(None));
        let partial = |path: Value, code: &str| {
            let error = json!({ "path": path, "extensions": { "code": code } });
            json!({ "data": { "myOrders": { "nodes": [node(Value::Null)] } }, "errors": [error] })
        };
        let place = json!(["myOrders", "nodes", 0, "store"]);
        let told = missing(&partial(place.clone(), "SUBGRAPH_TIMEOUT"));
        assert_eq!(told, Ok(Some("SUBGRAPH_TIMEOUT".to_owned())));
        for strange in [
            partial(place, "INTERNAL_ERROR"),
            partial(json!(["myOrders"]), "SUBGRAPH_TIMEOUT"),
            json!({ "data": { "myOrders": { "nodes": [node(Value::Null)] } } }),
            json!({ "data": null, "errors": [] }),
        ] {
            assert!(missing(&strange).is_err(), "{strange}");
        }
    }
}

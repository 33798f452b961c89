//! Two releases of every service run at once, as during a rolling update: their events and schemas differ as the contracts
//! allow, and nobody notices.
use std::time::Duration;

use anyhow::{Context, Result};
use baedal::settings::{Part, Settings};
use baedal_kit::log::embedded::Embedded;
use serde_json::json;
use sqlx::Row;

use super::services::blocking;
use crate::client::Client;
use crate::faults::fleet::Fleet;
use crate::faults::gateway;
use crate::faults::load::{Load, customer};
use crate::faults::proxy::Proxy;
use crate::faults::{Experiment, Facts, Plan, Violated, must};
use crate::patience::until;
use crate::world::free_ports;

/// How long the gateway rests between two looks at a subgraph: each may find another release.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Fields of Query, of which the next release has one more.
const FIELDS: &str = "{ __type(name: \"Query\") { fields { name } } }";
/// What the next release of order adds.
const NEW: &str = "orderOfTheNextRelease";

/// 29.
pub const VERSIONS: Experiment = Experiment {
    name: "two-releases",
    fault: "two releases of every service at once, whose events and schemas differ as contracts allow",
    invariant: "no request fails, no event becomes a dead letter, each effect once; the gateway follows the schemas",
    net: "the rule that a new major version of an event waits for its readers",
    runs: (1, 10),
    servers: false,
    run: |plan| Box::pin(versions(plan)),
};

async fn versions(plan: Plan) -> Result<Facts> {
    let mut fleet = Fleet::new(&plan.program)?;
    let (old, next) = (fleet.settings.clone(), next(&fleet.settings)?);
    let mut variables = plan.variables("version");
    fleet.enlist(
        "old",
        &[&[Part::Auth][..], &Part::SUBGRAPHS[..]].concat(),
        &variables,
    );
    variables.push(("BAEDAL_RELEASE", "next".to_owned()));
    fleet.enlist_as("next", next.clone(), &variables);
    // Who is first publishes for both.
    blocking(|| fleet.start("next").and_then(|_| fleet.start("old")))?;
    let doors = Doors::open(&old, &next).await?;
    let mut config = gateway::config(&old, |part| doors.of(part))?;
    config.supergraph.poll_interval = LOOK_EVERY;
    // So that looks come by connections of their own, which lead here and there.
    config.traffic.pool_idle_timeout = LOOK_EVERY / 4;
    let gateway = baedal_router::start(config).await?;
    let shop = customer(&old).await;
    // Events that nobody can read keep order from learning the menus.
    let shop = shop.map_err(|error| Violated(format!("no order can be placed: {error:#}")))?;
    let load = Load::start(&shop, 4, "releases");
    for _ in 0..plan.runs {
        follows(&plan, &shop.client).await?;
        load.goes_on(8, plan.patience(Duration::from_secs(10))).await?;
    }
    let tally = load.stop().await;
    let overloaded = tally.refused.keys().all(|code| code == "PAYMENT_UNAVAILABLE");
    must(
        tally.unanswered == 0 && (tally.refused.is_empty() || (!plan.timed && overloaded)),
        || {
            format!(
                "requests failed: {:?}, {} unanswered",
                tally.refused, tally.unanswered
            )
        },
    )?;
    let (letters, new) = published(&old).await?;
    must(letters == 0, || format!("{letters} dead letters"))?;
    must(new > 0, || {
        "the next release published nothing: there was one release".to_owned()
    })?;
    let ledger = plan.audit(&old, &tally).await?;
    gateway.shutdown().await;
    fleet.without_panics()?;
    Ok(vec![format!(
        "{} times another schema, {} orders, {} delivered, {new} events of a type nobody knows, audit clean",
        2 * plan.runs,
        tally.acknowledged.len(),
        ledger.feed.len()
    )])
}

/// The same services once more, on other ports.
fn next(settings: &Settings) -> Result<Settings> {
    let mut next = settings.clone();
    let auth = next.ports.auth;
    next.only = Part::SUBGRAPHS.to_vec();
    next.ports = free_ports()?;
    next.ports.auth = auth;
    Ok(next)
}

/// For each subgraph an address that leads to both releases in turn.
struct Doors(Vec<(Part, Proxy)>);

impl Doors {
    async fn open(old: &Settings, next: &Settings) -> Result<Doors> {
        let mut doors = Vec::new();
        for part in Part::SUBGRAPHS {
            let proxy = Proxy::start(vec![old.listen(part), next.listen(part)]).await?;
            doors.push((part, proxy));
        }
        Ok(Doors(doors))
    }

    fn of(&self, part: Part) -> std::net::SocketAddr {
        let door = self.0.iter().find(|(of, _)| *of == part);
        door.expect("every subgraph has a door").1.address()
    }
}

/// The gateway shows the one schema and then the other.
async fn follows(plan: &Plan, client: &Client) -> Result<()> {
    for wanted in [true, false] {
        until(plan.patience(Duration::from_secs(20)), || async {
            let data = client.data(FIELDS, json!({})).await?;
            let fields = data["__type"]["fields"].as_array().context("fields")?;
            Ok(fields.iter().any(|field| field["name"] == NEW) == wanted)
        })
        .await
        .map_err(|error| Violated(format!("the gateway does not follow the schemas: {error:#}")))?;
    }
    Ok(())
}

/// How many dead letters the log has, and how many events that only the next release knows.
async fn published(settings: &Settings) -> Result<(i64, i64)> {
    let path = settings.data.join("events.db");
    let log = Embedded::open_apart(path.to_str().context("a path is text")?).await?;
    let count = async |condition: &'static str| {
        let sql = format!("SELECT COUNT(*) FROM records WHERE {condition}");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_one(log.db().pool())
            .await?;
        anyhow::Ok(row.try_get::<i64, _>(0)?)
    };
    let letters = count("topic LIKE '%.dead'").await?;
    Ok((
        letters,
        count("instr(payload, '\"OfTheNextRelease\"') > 0").await?,
    ))
}

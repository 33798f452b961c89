//! Records that nobody can read stand among the events: they go to the dead letters, and the rest goes on.
use std::time::{Duration, Instant};

use anyhow::Result;
use baedal_events::ORDER_TOPIC;
use baedal_kit::log::embedded::Embedded;
use baedal_kit::log::{EventLog, Record};
use serde_json::json;
use sqlx::Row;

use super::services::blocking;
use crate::faults::fleet::Fleet;
use crate::faults::load::{Load, customer};
use crate::faults::random::Random;
use crate::faults::{Experiment, Facts, Plan, Violated, must};
use crate::patience::until;

/// Dead letters of one round: nobody can read two of the records (three groups try), two groups know the third's type.
const LETTERS: i64 = 3 + 3 + 2;
/// From an order's acknowledgement to its delivery, through all topics and back, while poison is about.
const LAG: Duration = Duration::from_secs(1);

/// 10.
pub const POISON: Experiment = Experiment {
    name: "poison",
    fault: "records that are no JSON, 2 MB large, or of an unknown version among the events",
    invariant: "each is a dead letter of every group; the rest is less than 1 s late",
    net: "the dead letters",
    runs: (1, 20),
    servers: false,
    run: |plan| Box::pin(poison(plan)),
};

async fn poison(plan: Plan) -> Result<Facts> {
    let mut fleet = Fleet::new(&plan.program)?;
    fleet.enlist("all", &[], &plan.variables("dead"));
    blocking(|| fleet.start("all"))?;
    let path = fleet.settings.data.join("events.db");
    let log = Embedded::open_apart(path.to_str().unwrap_or_default()).await?;
    let shop = customer(&fleet.settings).await?;
    let load = Load::start(&shop, 2, "poison");
    load.goes_on(2, Duration::from_secs(60)).await?;
    let (mut random, mut slowest) = (Random::new(plan.seed), Duration::ZERO);
    for run in 0..plan.runs {
        tokio::time::sleep(random.millis(10, 300)).await;
        put_poison(&log, &mut random).await?;
        let order = shop.place("pizza", 1, &format!("after-{run}")).await?;
        let start = Instant::now();
        until(plan.patience(Duration::from_secs(15)), || async {
            Ok(shop.status(&order).await? == "DELIVERED")
        })
        .await
        .map_err(|_| Violated("an order behind unreadable records is not delivered".to_owned()))?;
        slowest = slowest.max(start.elapsed());
    }
    let mut tally = load.stop().await;
    // The orders behind the poison are not of the load.
    tally.keys += plan.runs as usize;
    plan.audit(&fleet.settings, &tally).await?;
    let letters = dead_letters(&log).await?;
    let expected = LETTERS * i64::from(plan.runs);
    must(letters == expected, || {
        format!("{letters} dead letters instead of {expected}")
    })?;
    fleet.without_panics()?;
    Ok(vec![
        format!("{} unreadable records, {letters} dead letters", 3 * plan.runs),
        plan.bound("longest way of an order behind them", slowest, LAG)?,
    ])
}

async fn put_poison(log: &Embedded, random: &mut Random) -> Result<()> {
    let key = format!("poison-{}", random.draw());
    let bad = Record {
        key: key.clone(),
        payload: b"{ no JSON".to_vec(),
    };
    let unknown = json!({
        "id": uuid::Uuid::now_v7(), "type": "OrderPlaced", "alias": "", "version": 99,
        "time": "2030-01-01T00:00:00Z", "source": "nobody", "aggregateId": key, "sequence": 1,
        "correlationId": key, "data": {},
    });
    let unknown = Record {
        key: key.clone(),
        payload: unknown.to_string().into_bytes(),
    };
    log.publish(ORDER_TOPIC, vec![bad, unknown]).await?;
    // Larger than the log takes: a record of an older release, say.
    sqlx::query("INSERT INTO records (topic, part, record_key, payload, at) VALUES ($1, 0, $2, $3, 0)")
        .bind(ORDER_TOPIC)
        .bind(key)
        .bind(vec![b'x'; 2 * 1024 * 1024])
        .execute(log.db().pool())
        .await?;
    Ok(())
}

async fn dead_letters(log: &Embedded) -> Result<i64> {
    let row = sqlx::query("SELECT COUNT(*) FROM records WHERE topic = $1")
        .bind(format!("{ORDER_TOPIC}.dead"))
        .fetch_one(log.db().pool())
        .await?;
    Ok(row.try_get(0)?)
}

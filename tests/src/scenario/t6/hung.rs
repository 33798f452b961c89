//! A process that hangs fails its liveness check, and whoever looks after it (here as a kubelet would) restarts it.
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use baedal::settings::Part;

use crate::cluster::Cluster;
use crate::patience::until;
use crate::scenario::Verdict;
use crate::scenario::verdict::time;
use crate::shop::Shop;

/// How often liveness is asked for, how long an answer may take, and how often it may fail: as a kubelet does it.
const EVERY: Duration = Duration::from_millis(500);
const ANSWER: Duration = Duration::from_secs(1);
const FAILURES: usize = 3;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stops the store's process in its tracks. Orders are taken meanwhile, and delivered when it has been restarted.
pub async fn restarted(cluster: &mut Cluster, shop: &Shop, verdict: &mut Verdict) -> Result<Vec<String>> {
    let Some(pid) = cluster
        .replicas(Part::Store)
        .first()
        .and_then(|replica| replica.pid())
    else {
        verdict
            .notes
            .push("a hung process: only where services are processes (the command, not the test)".to_owned());
        return Ok(Vec::new());
    };
    Command::new("kill").args(["-STOP", &pid.to_string()]).status()?;
    let start = Instant::now();
    let order = shop.place("tongdak", 1, "t6-hung").await?;
    until_dead(cluster).await?;
    cluster.kill(Part::Store).await?;
    cluster.grow(Part::Store).await?;
    let delivered = until(PATIENCE, || async {
        Ok(shop.status(&order).await? == "DELIVERED")
    })
    .await;
    verdict.check(
        "liveness restarts a hung process",
        format!(
            "store hung; its order was delivered {} later",
            time(start.elapsed())
        ),
        delivered.is_ok(),
    );
    Ok(vec![order])
}

/// Waits until liveness has failed often enough in a row.
async fn until_dead(cluster: &Cluster) -> Result<()> {
    let addr = cluster
        .addresses(Part::Store)
        .first()
        .copied()
        .context("a store runs")?;
    let url = format!("http://{addr}/health/live");
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build()?;
    let mut failures = 0;
    let start = Instant::now();
    while failures < FAILURES {
        anyhow::ensure!(
            start.elapsed() < PATIENCE,
            "a hung process passes its liveness check"
        );
        match http.get(&url).send().await {
            Ok(answer) if answer.status().is_success() => failures = 0,
            _ => failures += 1,
        }
        tokio::time::sleep(EVERY).await;
    }
    Ok(())
}

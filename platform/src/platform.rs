//! Runs a set of parts together, from the first to the last.
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use baedal_kit::serve::until_signal;
use baedal_kit::telemetry;

use crate::banner;
use crate::parts::{self, RunningPart};
use crate::settings::{Part, Settings};
use crate::supervise;

/// How long the gateway may take to compose what has just been started.
const READY: Duration = Duration::from_secs(30);

/// Starts the chosen parts, says so, and drains them when the process is asked to end.
///
/// # Errors
/// A part that cannot start; those already started are ended first.
pub async fn run(settings: Settings) -> Result<()> {
    telemetry::init("baedal");
    prepare_folder(&settings)?;
    if settings.supervise {
        return supervise::run(&settings).await;
    }
    let mut running = Vec::new();
    let outcome = start_all(&settings, &mut running).await;
    if outcome.is_ok() {
        println!("{}", banner::text(&settings));
        until_signal().await;
        eprintln!("Finishing what is under way …");
    }
    // The gateway first: no request comes in any more while the services finish.
    while let Some(part) = running.pop() {
        part.shutdown().await;
    }
    outcome
}

async fn start_all(settings: &Settings, running: &mut Vec<RunningPart>) -> Result<()> {
    for part in settings.parts() {
        running.push(parts::start(part, settings).await?);
    }
    // With its subgraphs in other processes the gateway serves what it can reach, whenever that comes.
    match settings.parts() == Part::ALL {
        true => until_ready(settings).await,
        false => Ok(()),
    }
}

/// Waits until the gateway serves the graph of the subgraphs it can reach.
pub(crate) async fn until_ready(settings: &Settings) -> Result<()> {
    let url = format!("http://{}/health/ready", settings.listen(Part::Gateway));
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(2))
        .build()?;
    let start = Instant::now();
    loop {
        let reason = match client.get(&url).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        if start.elapsed() > READY {
            bail!("the gateway is not ready after {} s: {reason}", READY.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

fn prepare_folder(settings: &Settings) -> Result<()> {
    let folder = &settings.data;
    let advice = || {
        format!(
            "cannot keep data in {}; make the folder writable or name another with --data",
            folder.display()
        )
    };
    fs::create_dir_all(folder).with_context(advice)?;
    let probe = folder.join(format!(".writable-{}", std::process::id()));
    fs::write(&probe, b"").with_context(advice)?;
    fs::remove_file(&probe).with_context(advice)
}

//! A process that hangs, though it still answers, fails its liveness check and is started again.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use baedal::settings::{Part, Settings};
use baedal_tests::patience::until;
use baedal_tests::process::{Process, settings};
use baedal_tests::world::free_ports;

const PROGRAM: &str = env!("CARGO_BIN_EXE_baedal-process");
/// How long a start may take on a busy machine.
const START: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_hangs_is_started_again() {
    let _alone = crate::alone().await;
    if let Err(error) = hung().await {
        panic!("{error:?}");
    }
}

async fn hung() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let hang = folder.path().join("hang");
    let settings = Settings {
        only: vec![Part::Store],
        supervise: true,
        ..settings(folder.path(), &free_ports()?)
    };
    let variables = [
        ("BAEDAL_TEST_HANG", hang.to_str().context("a path")?),
        ("BAEDAL_HUNG_AFTER_SECONDS", "3"),
    ];
    let process = Process::start_with(PROGRAM, &settings, &variables)?;
    until(START, || async { Ok(born(&settings).await.is_ok()) }).await?;
    let first = born(&settings).await?;
    std::fs::write(&hang, b"consumer")?;
    until(START, || async {
        Ok(process.output().contains("a part hangs and was killed"))
    })
    .await
    .with_context(|| process.output())?;
    let why = process.output();
    ensure!(
        why.contains("the consumer store has given no sign of life"),
        "{why}"
    );
    until(START, || async {
        Ok(born(&settings).await.is_ok_and(|born| born > first))
    })
    .await
    .with_context(|| process.output())?;
    ensure!(alive(&settings).await?, "the new process works");
    ensure!(process.terminate()?, "all end in order");
    ensure!(
        !alive(&settings).await.unwrap_or(false),
        "the part has ended, too"
    );
    Ok(())
}

/// Loops of the services, with who has them. (The expiry of coupons rests for half a minute between its rounds: too long
/// to wait for here.)
const LOOPS: [(Part, &str); 4] = [
    (Part::Order, "order sweep"),
    (Part::Payment, "payment sweep"),
    (Part::Store, "auto mode"),
    (Part::Marketing, "feed poller"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_hangs_fails_the_liveness_check() {
    let _alone = crate::alone().await;
    let hanging = LOOPS.map(|(part, name)| async move { hangs(part, name).await.context(name) });
    let outcomes = futures_util::future::join_all(hanging).await;
    for outcome in outcomes {
        if let Err(error) = outcome {
            panic!("{error:?}");
        }
    }
}

/// A process of this part alone, whose loop of this name hangs from its first round on.
async fn hangs(part: Part, name: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let hang = folder.path().join("hang");
    std::fs::write(&hang, name)?;
    let settings = Settings {
        only: vec![part],
        ..settings(folder.path(), &free_ports()?)
    };
    let variables = [
        ("BAEDAL_TEST_HANG", hang.to_str().context("a path")?),
        ("BAEDAL_HUNG_AFTER_SECONDS", "2"),
    ];
    let process = Process::start_with(PROGRAM, &settings, &variables)?;
    let url = format!("http://{}/health/live", settings.listen(part));
    until(START, || async {
        let answer = reqwest::get(&url).await?;
        let (status, text) = (answer.status().as_u16(), answer.text().await?);
        Ok(status == 503 && text.contains(&format!("{name} has given no sign of life")))
    })
    .await
    .with_context(|| process.output())
}

/// When the store's process began.
async fn born(settings: &Settings) -> Result<f64> {
    let page = reqwest::get(format!("http://{}/metrics", settings.listen(Part::Store))).await?;
    let page = page.text().await?;
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix("process_start_time_seconds "));
    Ok(line.context("a start")?.parse()?)
}

async fn alive(settings: &Settings) -> Result<bool> {
    let answer = reqwest::get(format!("http://{}/health/live", settings.listen(Part::Store))).await?;
    Ok(answer.status().is_success())
}

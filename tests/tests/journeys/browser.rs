//! The gateway's page in a real browser (Chromium, driven by the npm package `playwright-core`): it asks nobody but the
//! gateway, runs queries, shows errors and plans, logs in at the platform's auth server, and subscribes.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use baedal::demo::Account;
use baedal::settings::Part;
use baedal_router::config::SubgraphConfig;
use baedal_tests::shop::Shop;
use baedal_tests::world::World;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The whole journey; it takes some ten seconds.
const PATIENCE: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_uses_the_page() -> Result<()> {
    let _alone = crate::alone().await;
    let world = World::embedded().await?;
    let plain = gateway_without_page(&world).await?;
    let account = Account::Customer;
    let told = json!({
        "gateway": world.settings.graphql(Part::Gateway),
        "auth": world.settings.issuer(),
        "plain": plain.url(),
        "login": account.login(),
        "password": account.password(),
        "feed": "subscription { deliveryFeed { cursor store { name } } }",
    });
    let folder = browser()?;
    let mut journey = Command::new("node")
        .current_dir(&folder)
        .args(["journey.mjs", &told.to_string()])
        .env("CHROMIUM", chromium()?)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("this test needs Node 20 or later")?;
    let shop = world.shop(account).await?;
    let followed = tokio::time::timeout(PATIENCE, follow(&mut journey, &shop)).await;
    let steps = followed.context("the journey does not end")??;
    let status = journey.wait().await?;
    ensure!(
        status.success(),
        "it failed at: {}",
        steps.last().map_or("its start", String::as_str)
    );
    ensure!(steps.len() >= 12, "every step was made: {steps:?}");
    plain.shutdown().await;
    world.shutdown().await;
    Ok(())
}

/// Places an order whenever the journey asks for one; gives the steps it made.
async fn follow(journey: &mut Child, shop: &Shop) -> Result<Vec<String>> {
    let stdout = journey.stdout.take().context("its output")?;
    let (mut lines, mut steps) = (BufReader::new(stdout).lines(), Vec::new());
    while let Some(line) = lines.next_line().await? {
        if line == "PLACE" {
            let key = format!("browser-{}", steps.len());
            shop.place("tongdak", 1, &key).await?;
        } else if let Some(step) = line.strip_prefix("step ") {
            steps.push(step.to_owned());
        }
    }
    Ok(steps)
}

/// A gateway with defaults: no page.
async fn gateway_without_page(world: &World) -> Result<baedal_router::Running> {
    let mut config = baedal_router::Config {
        listen: ([127, 0, 0, 1], 0).into(),
        ..baedal_router::Config::default()
    };
    let url = world.settings.graphql(Part::Store).parse()?;
    config
        .subgraphs
        .insert("store".to_owned(), SubgraphConfig::at(url));
    Ok(baedal_router::start(config).await?)
}

/// The browser; `cargo xtask test` installs it where it can.
fn chromium() -> Result<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let usual = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ];
    let found = named
        .into_iter()
        .chain(usual.map(PathBuf::from))
        .find(|path| path.exists());
    found.context(
        "this test needs Chromium: install it (Debian's package `chromium`), or name it with CHROMIUM",
    )
}

/// The journey with its packages installed, below the build folder.
fn browser() -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    fs::create_dir_all(&folder)?;
    for name in [
        "package.json",
        "package-lock.json",
        ".npmrc",
        "browser.mjs",
        "journey.mjs",
    ] {
        fs::copy(source.join(name), folder.join(name)).with_context(|| name.to_owned())?;
    }
    let installed = std::process::Command::new("npm")
        .current_dir(&folder)
        .args(["ci", "--silent", "--ignore-scripts"])
        .output();
    let Output { status, stderr, .. } = installed.context("this test needs npm")?;
    ensure!(status.success(), "npm ci: {}", String::from_utf8_lossy(&stderr));
    Ok(folder)
}

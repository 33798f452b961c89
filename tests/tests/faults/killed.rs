//! `kill -9` of the whole embedded platform at random points under load: nothing acknowledged is lost,
//! nothing happens twice.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use baedal::demo::Account;
use baedal::login;
use baedal::settings::{Part, Settings};
use baedal_tests::audit::audit;
use baedal_tests::client::Client;
use baedal_tests::process::{Process, settings};
use baedal_tests::shop::Shop;
use baedal_tests::world::free_ports;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

const PROGRAM: &str = env!("CARGO_BIN_EXE_baedal-process");
/// How often the process is killed.
const KILLS: u32 = 20;
/// Customers ordering all the time.
const CUSTOMERS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_platform_keeps_all_it_acknowledged() {
    let _alone = crate::alone().await;
    if let Err(error) = killed_under_load().await {
        panic!("{error:?}");
    }
}

async fn killed_under_load() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = settings(folder.path(), &free_ports()?);
    let seed = seed();
    eprintln!("seed {seed} (BAEDAL_SEED repeats it)");
    let mut random = Random(seed);
    let (acknowledged, number) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    for _ in 0..KILLS {
        let process = Process::start(PROGRAM, &settings)?;
        let load = Load::start(&settings, &acknowledged, &number).await?;
        tokio::time::sleep(Duration::from_millis(50 + random.below(700))).await;
        process.kill()?;
        load.stop().await;
    }
    let last = Process::start(PROGRAM, &settings)?;
    let acknowledged = acknowledged.lock().await.clone();
    ensure!(
        acknowledged.len() >= usize::try_from(KILLS)?,
        "the load was real: {} orders",
        acknowledged.len()
    );
    audit(&settings, &acknowledged, Duration::from_secs(30))
        .await
        .with_context(|| format!("seed {seed}"))?;
    eprintln!(
        "{KILLS} kills, {} acknowledged orders, audit clean",
        acknowledged.len()
    );
    ensure!(last.terminate()?, "and it still ends in order");
    Ok(())
}

/// Customers who order until they are stopped.
struct Load {
    running: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl Load {
    async fn start(
        settings: &Settings,
        acknowledged: &Arc<Mutex<Vec<String>>>,
        number: &Arc<AtomicUsize>,
    ) -> Result<Load> {
        let account = Account::Customer;
        let tokens = login::account::login(
            &settings.issuer(),
            None,
            account.login(),
            account.password(),
            account.scopes(),
        )
        .await?;
        let client = Client::new(settings.graphql(Part::Gateway)).with_token(tokens.access);
        let shop = Shop {
            client,
            store_id: "store-seoul".to_owned(),
        };
        let running = Arc::new(AtomicBool::new(true));
        let mut tasks = JoinSet::new();
        for _ in 0..CUSTOMERS {
            let (shop, running) = (shop.clone(), running.clone());
            let (acknowledged, number) = (acknowledged.clone(), number.clone());
            tasks.spawn(async move {
                while running.load(Ordering::Relaxed) {
                    let key = format!("kill-{}", number.fetch_add(1, Ordering::Relaxed));
                    if let Ok(id) = shop.place("tongdak", 1, &key).await {
                        acknowledged.lock().await.push(id);
                    }
                }
            });
        }
        Ok(Load { running, tasks })
    }

    async fn stop(mut self) {
        self.running.store(false, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
    }
}

fn seed() -> u64 {
    let given = std::env::var("BAEDAL_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |time| time.as_secs())
    })
}

/// splitmix64: small, seeded, good enough to choose moments.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

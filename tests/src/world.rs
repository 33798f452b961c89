//! A whole platform in this process: every part can be stopped and started alone.
//!
//! [`World::embedded`] runs on SQLite and the embedded event log; [`World::on_servers`] on real MongoDB,
//! Postgres and Kafka, found by `MONGODB_URL`, `POSTGRES_URL` and `KAFKA_BROKERS` (`cargo xtask test` sets them).
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use baedal::demo::Account;
use baedal::login;
use baedal::parts::{self, RunningPart};
use baedal::settings::{Part, Ports, Servers, Settings, Told};
use tempfile::TempDir;

use crate::client::Client;
use crate::patience::until;
use crate::servers;
use crate::shop::Shop;

/// A running platform.
pub struct World {
    /// Addresses and stores.
    pub settings: Settings,
    /// The store that scenarios order from.
    pub store_id: String,
    running: BTreeMap<Part, RunningPart>,
    _folder: TempDir,
}

impl World {
    /// Every part, on embedded stores.
    ///
    /// # Errors
    /// A part that does not start.
    pub async fn embedded() -> Result<World> {
        World::with(None).await
    }

    /// Every part, on databases of its own on the real servers.
    ///
    /// # Errors
    /// A server that is not named or not there, a part that does not start.
    pub async fn on_servers() -> Result<World> {
        let servers = servers::fresh().await?;
        World::with(Some(servers)).await
    }

    async fn with(servers: Option<Servers>) -> Result<World> {
        let real = servers.is_some();
        let folder = tempfile::tempdir()?;
        let settings = Settings {
            data: folder.path().to_path_buf(),
            only: Vec::new(),
            step_ms: 0,
            ports: free_ports()?,
            supervise: false,
            told: Told {
                gateway_metrics_port: Some(free_port()?),
                auth_metrics_port: Some(free_port()?),
                access_log: false,
            },
            servers,
        };
        let mut world = World {
            settings,
            store_id: "store-seoul".to_owned(),
            running: BTreeMap::new(),
            _folder: folder,
        };
        if real {
            servers::create_accounts(&world.settings).await?;
        }
        for part in Part::ALL {
            world.start(part).await?;
        }
        if real {
            world.until_ready(Part::Store).await?;
            let token = world.token(Account::Owner).await?;
            world.store_id = servers::open_shop(&world.subgraph(Part::Store).with_token(token)).await?;
        }
        world.until_orders_are_taken().await?;
        Ok(world)
    }

    /// Starts a part that does not run.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(&mut self, part: Part) -> Result<()> {
        let running = parts::start(part, &self.settings).await?;
        self.running.insert(part, running);
        Ok(())
    }

    /// Ends a part in order.
    pub async fn stop(&mut self, part: Part) {
        if let Some(running) = self.running.remove(&part) {
            running.shutdown().await;
        }
    }

    /// Ends every part.
    pub async fn shutdown(mut self) {
        for part in Part::ALL.into_iter().rev() {
            self.stop(part).await;
        }
    }

    /// The gateway, without a token.
    pub fn gateway(&self) -> Client {
        Client::new(self.settings.graphql(Part::Gateway))
    }

    /// A subgraph, without a token.
    pub fn subgraph(&self, part: Part) -> Client {
        Client::new(self.settings.graphql(part))
    }

    /// An access token, by a real login.
    ///
    /// # Errors
    /// The auth server refuses it.
    pub async fn token(&self, account: Account) -> Result<String> {
        let (login, password) = (account.login(), account.password());
        let tokens =
            login::account::login(&self.settings.issuer(), None, login, password, account.scopes()).await?;
        Ok(tokens.access)
    }

    /// The gateway as one of the accounts.
    ///
    /// # Errors
    /// See [`World::token`].
    pub async fn as_account(&self, account: Account) -> Result<Client> {
        Ok(self.gateway().with_token(self.token(account).await?))
    }

    /// Waits until the gateway answers a part's fields again.
    ///
    /// # Errors
    /// It does not within 15 s.
    pub async fn until_ready(&self, part: Part) -> Result<()> {
        let url = format!("http://{}/health/ready", self.settings.listen(part));
        let http = reqwest::Client::new();
        until(Duration::from_secs(15), || async {
            Ok(http
                .get(&url)
                .send()
                .await
                .is_ok_and(|answer| answer.status().is_success()))
        })
        .await
        .with_context(|| format!("{part} is not ready"))
    }

    /// Waits until order knows the menus, so that orders are taken.
    async fn until_orders_are_taken(&self) -> Result<()> {
        self.until_ready(Part::Gateway).await?;
        let shop = self.shop(Account::Customer2).await?;
        until(Duration::from_secs(60), || shop.knows_the_menu())
            .await
            .context("order learns the menus")
    }

    /// A customer at the gateway.
    ///
    /// # Errors
    /// See [`World::token`].
    pub async fn shop(&self, account: Account) -> Result<Shop> {
        Ok(Shop {
            client: self.as_account(account).await?,
            store_id: self.store_id.clone(),
        })
    }
}

/// Ports that were free a moment ago, below the range that outgoing connections take theirs from: a part that is
/// stopped must find its port free when it comes back.
///
/// # Errors
/// No loopback port is free.
pub fn free_ports() -> Result<Ports> {
    Ok(Ports {
        gateway: free_port()?,
        auth: free_port()?,
        order: free_port()?,
        payment: free_port()?,
        payment_grpc: free_port()?,
        store: free_port()?,
        marketing: free_port()?,
    })
}

/// One such port.
///
/// # Errors
/// No loopback port is free.
pub fn free_port() -> Result<u16> {
    const FIRST: u32 = 12_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let number = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + number % COUNT)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port of 127.0.0.1 from {FIRST} on is free")
}

//! A platform with as many replicas of each part as wanted, each stopped and started alone, in this process or as
//! processes of their own; in front of replicas stands a [`Balancer`], and its address is the part's address.
mod front;
mod inside;
mod knobs;
mod people;
mod program;
mod replica;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use baedal::demo::Account;
use baedal::login;
use baedal::settings::{Part, Servers, Settings};
use futures_util::future::{LocalBoxFuture, join_all};
use tempfile::TempDir;

use crate::balancer::Counts;
use crate::client::Client;
use crate::patience::until;
use crate::servers;
use crate::shop::Shop;
use crate::world::free_ports;

pub use front::Front;
pub use knobs::{Knobs, Start};
pub use replica::Replica;

/// How long a replica may take until it is ready, on a busy machine.
const READY: Duration = Duration::from_secs(60);

/// What to start.
#[derive(Debug, Clone)]
pub struct Plan {
    /// In this process, or the programs of a folder.
    pub start: Start,
    /// Replicas of each part; with more than one there are balancers in front.
    pub replicas: usize,
    /// Accounts of customers besides the demo's.
    pub customers: usize,
    /// Real servers; absent: SQLite and the embedded event log.
    pub servers: Option<Servers>,
    /// Settings of the services.
    pub knobs: Knobs,
}

/// A running platform.
pub struct Cluster {
    /// Addresses in front of the replicas, and stores.
    pub settings: Settings,
    /// The store that is ordered from.
    pub store_id: String,
    /// Settings of replicas started from now on.
    pub knobs: Knobs,
    start: Start,
    subs: Vec<String>,
    fronts: BTreeMap<Part, Front>,
    replicas: BTreeMap<Part, Vec<Replica>>,
    folder: TempDir,
}

impl Cluster {
    /// Starts everything and waits until orders are taken.
    ///
    /// # Errors
    /// A part that does not start.
    pub async fn start(plan: Plan) -> Result<Cluster> {
        let mut cluster = Cluster::nothing(&plan)?;
        if plan.servers.is_some() {
            servers::create_accounts(&cluster.settings).await?;
        }
        if plan.replicas > 1 {
            for part in Part::ALL {
                let front = Front::open(part, &cluster.settings).await?;
                cluster.fronts.insert(part, front);
            }
        }
        for part in Part::ALL {
            for _ in 0..plan.replicas {
                cluster.grow(part).await?;
            }
        }
        cluster.subs = people::add(&cluster.settings, plan.customers).await?;
        if plan.servers.is_some() {
            let owner = cluster.token(Account::Owner).await?;
            let store = Client::new(cluster.settings.graphql(Part::Store)).with_token(owner);
            cluster.store_id = servers::open_shop(&store).await?;
        }
        cluster.until_orders_are_taken().await?;
        Ok(cluster)
    }

    fn nothing(plan: &Plan) -> Result<Cluster> {
        let folder = tempfile::tempdir()?;
        let settings = Settings {
            data: folder.path().to_path_buf(),
            only: Vec::new(),
            step_ms: u64::try_from(plan.knobs.step.as_millis())?,
            ports: free_ports()?,
            supervise: false,
            told: baedal::settings::Told::default(),
            servers: plan.servers.clone(),
        };
        Ok(Cluster {
            settings,
            store_id: "store-seoul".to_owned(),
            knobs: plan.knobs.clone(),
            start: plan.start.clone(),
            subs: Vec::new(),
            fronts: BTreeMap::new(),
            replicas: BTreeMap::new(),
            folder,
        })
    }

    /// Puts a balancer in front of a part that is not running.
    ///
    /// # Errors
    /// It runs already, or its port is taken.
    pub async fn balance(&mut self, part: Part) -> Result<()> {
        ensure!(
            self.count(part) == 0,
            "{part} runs on the address of its balancer"
        );
        self.fronts.insert(part, Front::open(part, &self.settings).await?);
        Ok(())
    }

    /// How many replicas of a part run.
    pub fn count(&self, part: Part) -> usize {
        self.replicas.get(&part).map_or(0, Vec::len)
    }

    /// The replicas of a part.
    pub fn replicas(&self, part: Part) -> &[Replica] {
        self.replicas.get(&part).map_or(&[], Vec::as_slice)
    }

    /// Starts one more replica of a part and waits until it is ready, and its balancer knows.
    ///
    /// # Errors
    /// It does not start.
    pub async fn grow(&mut self, part: Part) -> Result<()> {
        let ports = match self.fronts.contains_key(&part) {
            true => free_ports()?,
            false => self.settings.ports.clone(),
        };
        let replica = Replica::start(part, &self.context(), &ports).await?;
        if let Some(front) = self.fronts.get(&part) {
            front.add(&replica);
            front.until_ready(self.count(part) + 1, READY).await?;
        }
        self.replicas.entry(part).or_default().push(replica);
        Ok(())
    }

    /// Ends the newest replica of a part in order.
    ///
    /// # Errors
    /// There is none, or it does not end well.
    pub async fn shrink(&mut self, part: Part) -> Result<()> {
        let running = self.replicas.get_mut(&part).and_then(Vec::pop);
        let replica = running.with_context(|| format!("no replica of {part} runs"))?;
        let addresses = (replica.addr, replica.grpc);
        let ended = replica.stop(self.knobs.drain).await;
        if let Some(front) = self.fronts.get(&part) {
            front.remove(addresses);
        }
        ended
    }

    /// Starts two more replicas of a part.
    pub fn grow_twice(&mut self, part: Part) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.grow(part).await?;
            self.grow(part).await
        })
    }

    /// Ends the two newest replicas of a part in order.
    pub fn shrink_twice(&mut self, part: Part) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.shrink(part).await?;
            self.shrink(part).await
        })
    }

    /// Ends every replica of a part in order.
    ///
    /// # Errors
    /// See [`Cluster::shrink`].
    pub async fn stop(&mut self, part: Part) -> Result<()> {
        while self.count(part) > 0 {
            self.shrink(part).await?;
        }
        Ok(())
    }

    /// Ends every replica of a part as a crash would.
    ///
    /// # Errors
    /// It cannot be killed.
    pub async fn kill(&mut self, part: Part) -> Result<()> {
        for replica in self.replicas.remove(&part).unwrap_or_default() {
            let addresses = (replica.addr, replica.grpc);
            replica.kill().await?;
            if let Some(front) = self.fronts.get(&part) {
                front.remove(addresses);
            }
        }
        Ok(())
    }

    /// Restarts `count` replicas of a part, one after the other, the oldest first; each is ready before the next goes.
    ///
    /// # Errors
    /// One that does not end well or does not come back.
    pub async fn roll(&mut self, part: Part, count: usize) -> Result<()> {
        for _ in 0..count {
            if let Some(replicas) = self.replicas.get_mut(&part) {
                replicas.rotate_left(1);
            }
            self.shrink(part).await?;
            self.grow(part).await?;
        }
        Ok(())
    }

    /// Ends everything, the gateway first.
    ///
    /// # Errors
    /// A part that does not end well.
    pub async fn shutdown(mut self) -> Result<()> {
        for part in Part::ALL.into_iter().rev() {
            let replicas = self.replicas.remove(&part).unwrap_or_default();
            let ends = replicas.into_iter().map(|replica| replica.stop(Duration::ZERO));
            join_all(ends).await.into_iter().collect::<Result<()>>()?;
        }
        let panicked = self.panics()?;
        ensure!(
            panicked.is_empty(),
            "panics in the logs:\n{}",
            panicked.join("\n")
        );
        Ok(())
    }

    /// Lines of the processes' logs that tell of a panic.
    fn panics(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.folder.path())?.flatten() {
            if entry.path().extension().is_some_and(|end| end == "log") {
                let text = String::from_utf8_lossy(&std::fs::read(entry.path())?).into_owned();
                found.extend(
                    text.lines()
                        .filter(|line| line.contains("panicked at"))
                        .map(str::to_owned),
                );
            }
        }
        Ok(found)
    }

    fn context(&self) -> replica::Context<'_> {
        replica::Context {
            settings: &self.settings,
            knobs: &self.knobs,
            start: &self.start,
        }
    }

    /// Where the gateways' configuration file is; they follow it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn gateway_file(&self) -> Result<PathBuf> {
        program::gateway_file(&self.context())
    }

    /// The addresses of a part's replicas.
    pub fn addresses(&self, part: Part) -> Vec<SocketAddr> {
        self.replicas(part).iter().map(|replica| replica.addr).collect()
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

    /// The gateway, as one of the accounts.
    ///
    /// # Errors
    /// See [`Cluster::token`].
    pub async fn as_account(&self, account: Account) -> Result<Client> {
        Ok(Client::new(self.settings.graphql(Part::Gateway)).with_token(self.token(account).await?))
    }

    /// The customers at the gateway, each logged in.
    ///
    /// # Errors
    /// A login that is refused.
    pub async fn customers(&self) -> Result<Vec<Shop>> {
        let gateway = Client::new(self.settings.graphql(Part::Gateway));
        let mut shops = Vec::new();
        for token in people::log_in(&self.settings, self.subs.len()).await? {
            shops.push(Shop {
                client: gateway.with_token(token),
                store_id: self.store_id.clone(),
            });
        }
        Ok(shops)
    }

    /// Subjects of the customers, in the same order.
    pub fn subs(&self) -> &[String] {
        &self.subs
    }

    /// What the balancer in front of a part has given to each replica.
    pub fn counts(&self, part: Part) -> Vec<Counts> {
        self.fronts.get(&part).map(Front::counts).unwrap_or_default()
    }

    async fn until_orders_are_taken(&self) -> Result<()> {
        let shop = Shop {
            client: self.as_account(Account::Customer2).await?,
            store_id: self.store_id.clone(),
        };
        until(READY, || shop.knows_the_menu())
            .await
            .context("order learns the menus")
    }
}

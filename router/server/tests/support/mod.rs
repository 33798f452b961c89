//! A world for a test: subgraphs, an issuer of tokens, and a gateway in front of them.

pub mod certificates;
pub mod client;
pub mod emitter;
pub mod graphs;
pub mod issuer;
pub mod rogue;
pub mod socket;
pub mod subgraph;

use baedal_router::config::{AuthConfig, IssuerConfig, SubgraphConfig};
use baedal_router::{Config, Running};

pub use client::{Answer, Client};
pub use graphs::Journal;
pub use issuer::Issuer;
pub use rogue::{Manner, Rogue};
pub use subgraph::{Mode, Subgraph};

/// Three subgraphs and a gateway.
pub struct World {
    pub accounts: Subgraph,
    pub products: Subgraph,
    pub reviews: Subgraph,
    pub journal: Journal,
    pub gateway: Running,
}

impl World {
    /// Everything with defaults: an open gateway.
    pub async fn start() -> World {
        World::with(|_| ()).await
    }

    /// With a changed configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> World {
        let journal = Journal::default();
        let accounts = graphs::accounts(&journal).await;
        let products = graphs::products(&journal).await;
        let reviews = graphs::reviews(&journal).await;
        let mut config = config_of(&[&accounts, &products, &reviews]);
        change(&mut config);
        let gateway = baedal_router::start(config).await.expect("the gateway starts");
        World {
            accounts,
            products,
            reviews,
            journal,
            gateway,
        }
    }

    /// With tokens of `issuer`.
    pub async fn guarded(issuer: &Issuer) -> World {
        let auth = auth_of(&[issuer]);
        World::with(|config| config.auth = Some(auth)).await
    }

    pub fn client(&self) -> Client {
        Client::new(self.gateway.url())
    }

    pub async fn query(&self, query: &str) -> Answer {
        self.client().query(query).await
    }

    pub async fn socket(&self) -> socket::Socket {
        socket::Socket::open(&self.gateway).await
    }
}

/// A configuration on a free port that composes these subgraphs, and looks for changes quickly.
pub fn config_of(subgraphs: &[&Subgraph]) -> Config {
    let mut config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        ..Config::default()
    };
    config.supergraph.poll_interval = std::time::Duration::from_millis(100);
    for subgraph in subgraphs {
        config
            .subgraphs
            .insert(subgraph.name.to_owned(), SubgraphConfig::at(subgraph.url()));
    }
    config
}

/// Accepts tokens of these issuers.
pub fn auth_of(issuers: &[&Issuer]) -> AuthConfig {
    let issuer = |issuer: &&Issuer| IssuerConfig {
        jwks_url: Some(issuer.jwks_url().parse().expect("a URL")),
        ..IssuerConfig::new(&issuer.name, "baedal")
    };
    AuthConfig {
        issuers: issuers.iter().map(issuer).collect(),
        ..AuthConfig::default()
    }
}

/// Waits (bounded) until `check` holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    for _ in 0..200 {
        if check().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("it never came true within 5 s: {what}");
}

//! What payment can be told at start.

use std::{net::SocketAddr, time::Duration};

use baedal_kit::{proof::Key, prune::Retention};

use crate::{domain::Won, inbound::pace::Pace, outbound::simulated::Manners, ports::Patience};

/// Everything payment needs to know to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where GraphQL and health are served.
    pub listen: SocketAddr,
    /// Where gRPC is served.
    pub grpc_listen: SocketAddr,
    /// The key by which callers prove that they may call gRPC; `None` lets in whoever reaches it, and is for
    /// loopback addresses only.
    pub grpc_key: Option<Key>,
    /// `sqlite://PATH?mode=rwc` or `postgres://…`.
    pub database_url: String,
    /// `embedded:PATH` or `kafka://HOST:PORT,…`.
    pub events_url: String,
    /// Issuer of the access tokens; `None` serves GraphQL to anonymous callers only.
    pub issuer: Option<String>,
    /// Where the issuer's keys are, when its own name does not lead there from here.
    pub jwks_url: Option<String>,
    /// Audience an access token must have.
    pub audience: String,
    /// How long whom is waited for.
    pub patience: Patience,
    /// How often open payments are swept when nothing wakes the sweep.
    pub sweep_every: Duration,
    /// How the simulated provider behaves.
    pub provider: Manners,
    /// How long what was done is remembered.
    pub retention: Retention,
    /// How slow payment's answers are, for demonstrations.
    pub pace: Pace,
}

impl Config {
    /// The usual values around two addresses and two URLs.
    pub fn new(listen: SocketAddr, grpc_listen: SocketAddr, database_url: &str, events_url: &str) -> Config {
        Config {
            listen,
            grpc_listen,
            grpc_key: None,
            database_url: database_url.to_owned(),
            events_url: events_url.to_owned(),
            issuer: None,
            jwks_url: None,
            audience: "baedal".to_owned(),
            patience: Patience {
                charge: Duration::from_secs(5),
                reconcile_after: Duration::from_secs(2),
            },
            sweep_every: Duration::from_secs(1),
            provider: Manners {
                delay: Duration::from_millis(20),
                jitter: Duration::from_millis(20),
                capacity: 10_000,
                limit: Won::parse(1_000_000).expect("a million is an amount"),
            },
            retention: Retention::default(),
            pace: Pace::default(),
        }
    }
}

//! What order can be told at start.

use std::{net::SocketAddr, time::Duration};

use baedal_kit::{proof::Key, prune::Retention};

use crate::{outbound::payment::Guards, policies::Limits};

/// Connections to each address of payment: shared evenly by one, two and three replicas behind it.
pub const PAYMENT_CONNECTIONS: usize = 6;

/// Everything order needs to know to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where GraphQL and health are served.
    pub listen: SocketAddr,
    /// `sqlite://PATH?mode=rwc` or `mongodb://HOST:PORT/DATABASE?replicaSet=NAME`.
    pub database_url: String,
    /// `embedded:PATH` or `kafka://HOST:PORT,…`.
    pub events_url: String,
    /// Payment's gRPC, e.g. `http://127.0.0.1:4022`; several addresses with commas.
    pub payment_url: String,
    /// The key by which order proves to payment that it may call it.
    pub payment_key: Option<Key>,
    /// Connections to each of them.
    pub payment_connections: usize,
    /// Issuer of the access tokens; `None` leaves every caller anonymous.
    pub issuer: Option<String>,
    /// Where the issuer's keys are, when its own name does not lead there from here.
    pub jwks_url: Option<String>,
    /// Audience an access token must have.
    pub audience: String,
    /// How calls to payment are guarded.
    pub guards: Guards,
    /// How long an order may wait for whom.
    pub limits: Limits,
    /// How often overdue orders are looked for.
    pub sweep_every: Duration,
    /// How long what was done is remembered.
    pub retention: Retention,
}

impl Config {
    /// The usual values around an address and three URLs.
    pub fn new(listen: SocketAddr, database_url: &str, events_url: &str, payment_url: &str) -> Config {
        Config {
            listen,
            database_url: database_url.to_owned(),
            events_url: events_url.to_owned(),
            payment_url: payment_url.to_owned(),
            payment_key: None,
            payment_connections: PAYMENT_CONNECTIONS,
            issuer: None,
            jwks_url: None,
            audience: "baedal".to_owned(),
            guards: Guards::default(),
            limits: Limits {
                payment: Duration::from_millis(3_000),
                acceptance: Duration::from_secs(30 * 60),
            },
            sweep_every: Duration::from_secs(1),
            retention: Retention::default(),
        }
    }

    /// Another deadline for payment; the sweep's patience follows it.
    pub fn with_payment_deadline(mut self, deadline: Duration) -> Config {
        self.limits.payment = deadline + Duration::from_millis(2_390);
        self.guards.deadline = deadline;
        self
    }
}

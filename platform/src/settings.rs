//! What runs where: addresses, data folder, and the options that decide them.
use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::Url;

/// A part of the platform that can run in a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Part {
    /// The OAuth server.
    Auth,
    /// 주문.
    Order,
    /// 결제.
    Payment,
    /// 상점.
    Store,
    /// 마케팅.
    Marketing,
    /// The GraphQL gateway.
    Gateway,
}

impl Part {
    /// All of them, in the order in which they start.
    pub const ALL: [Part; 6] = [
        Part::Auth,
        Part::Payment,
        Part::Store,
        Part::Order,
        Part::Marketing,
        Part::Gateway,
    ];
    /// The parts that are subgraphs.
    pub const SUBGRAPHS: [Part; 4] = [Part::Order, Part::Payment, Part::Store, Part::Marketing];

    /// Name on the command line, in the supergraph, and of the data file.
    pub fn name(self) -> &'static str {
        match self {
            Part::Auth => "auth",
            Part::Order => "order",
            Part::Payment => "payment",
            Part::Store => "store",
            Part::Marketing => "marketing",
            Part::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Loopback port of each part.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Ports (all on 127.0.0.1)")]
pub struct Ports {
    /// The gateway.
    #[arg(
        long = "gateway-port",
        env = "BAEDAL_GATEWAY_PORT",
        default_value_t = 4000,
        value_name = "PORT"
    )]
    pub gateway: u16,
    /// The auth server.
    #[arg(
        long = "auth-port",
        env = "BAEDAL_AUTH_PORT",
        default_value_t = 4001,
        value_name = "PORT"
    )]
    pub auth: u16,
    /// The order subgraph.
    #[arg(
        long = "order-port",
        env = "BAEDAL_ORDER_PORT",
        default_value_t = 4011,
        value_name = "PORT"
    )]
    pub order: u16,
    /// The payment subgraph.
    #[arg(
        long = "payment-port",
        env = "BAEDAL_PAYMENT_PORT",
        default_value_t = 4012,
        value_name = "PORT"
    )]
    pub payment: u16,
    /// Payment's gRPC, which order calls.
    #[arg(
        long = "payment-grpc-port",
        env = "BAEDAL_PAYMENT_GRPC_PORT",
        default_value_t = 4022,
        value_name = "PORT"
    )]
    pub payment_grpc: u16,
    /// The store subgraph.
    #[arg(
        long = "store-port",
        env = "BAEDAL_STORE_PORT",
        default_value_t = 4013,
        value_name = "PORT"
    )]
    pub store: u16,
    /// The marketing subgraph.
    #[arg(
        long = "marketing-port",
        env = "BAEDAL_MARKETING_PORT",
        default_value_t = 4014,
        value_name = "PORT"
    )]
    pub marketing: u16,
}

/// What the gateway and the auth server, which everybody can reach, tell to operators only.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Operation")]
pub struct Told {
    /// Port of the gateway's /metrics, if it is to be served.
    #[arg(long, env = "BAEDAL_GATEWAY_METRICS_PORT", value_name = "PORT")]
    pub gateway_metrics_port: Option<u16>,
    /// Port of the auth server's /metrics, if it is to be served.
    #[arg(long, env = "BAEDAL_AUTH_METRICS_PORT", value_name = "PORT")]
    pub auth_metrics_port: Option<u16>,
    /// Log a line for each request of the gateway.
    #[arg(long, env = "BAEDAL_ACCESS_LOG")]
    pub access_log: bool,
}

/// Options of `baedal up`.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Folder of the databases and the event log; created when absent.
    #[arg(long, env = "BAEDAL_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// Run only these parts, separated by commas; other processes on the same folder may run the rest.
    #[arg(long, value_delimiter = ',', value_name = "PART,…")]
    pub only: Vec<Part>,
    /// Milliseconds a store takes for each step from accepting an order to its delivery.
    #[arg(long, env = "BAEDAL_STEP_MS", default_value_t = 300, value_name = "MS")]
    pub step_ms: u64,
    /// Run each part in a process of its own, and start one again that ends or no longer gives signs of life.
    #[arg(long, env = "BAEDAL_SUPERVISE")]
    pub supervise: bool,
    /// Ports.
    #[command(flatten)]
    pub ports: Ports,
    /// What the public parts tell.
    #[command(flatten)]
    pub told: Told,
    /// Real servers in place of the embedded stores; there are no demo accounts and no demo stores then.
    #[arg(skip)]
    pub servers: Option<Servers>,
}

/// Addresses of real servers, and what this platform's databases on them are called.
#[derive(Debug, Clone)]
pub struct Servers {
    /// `mongodb://…`, a replica set; the path is put in per service.
    pub mongodb: Url,
    /// `postgres://…`; the path is put in per service, and the databases must exist.
    pub postgres: Url,
    /// `host:port,…`.
    pub kafka: String,
    /// Goes before every database and topic name, so that several platforms can share the servers.
    pub prefix: String,
}

impl Servers {
    fn database(&self, part: Part) -> String {
        let mut url = match part {
            Part::Order | Part::Marketing => self.mongodb.clone(),
            _ => self.postgres.clone(),
        };
        url.set_path(&format!("{}{part}", self.prefix));
        url.into()
    }

    fn events(&self) -> String {
        match self.prefix.as_str() {
            "" => format!("kafka://{}", self.kafka),
            prefix => format!("kafka://{}/{prefix}", self.kafka),
        }
    }
}

impl Settings {
    /// The parts to run, each once, in starting order.
    pub fn parts(&self) -> Vec<Part> {
        let chosen: BTreeSet<Part> = self.only.iter().copied().collect();
        Part::ALL
            .into_iter()
            .filter(|part| chosen.is_empty() || chosen.contains(part))
            .collect()
    }

    /// The port of a part.
    pub fn port(&self, part: Part) -> u16 {
        match part {
            Part::Auth => self.ports.auth,
            Part::Order => self.ports.order,
            Part::Payment => self.ports.payment,
            Part::Store => self.ports.store,
            Part::Marketing => self.ports.marketing,
            Part::Gateway => self.ports.gateway,
        }
    }

    /// The address a part listens on.
    pub fn listen(&self, part: Part) -> SocketAddr {
        loopback(self.port(part))
    }

    /// The address payment's gRPC listens on.
    pub fn payment_grpc(&self) -> SocketAddr {
        loopback(self.ports.payment_grpc)
    }

    /// Where the gateway tells metrics.
    pub fn gateway_metrics(&self) -> Option<SocketAddr> {
        self.told.gateway_metrics_port.map(loopback)
    }

    /// Where the auth server tells metrics.
    pub fn auth_metrics(&self) -> Option<SocketAddr> {
        self.told.auth_metrics_port.map(loopback)
    }

    /// The GraphQL endpoint of a subgraph or the gateway.
    pub fn graphql(&self, part: Part) -> String {
        format!("http://{}/graphql", self.listen(part))
    }

    /// The auth server's URL, the `iss` of its tokens.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.listen(Part::Auth))
    }

    /// Whether demo accounts and stores exist: on embedded stores only.
    pub fn demo(&self) -> bool {
        self.servers.is_none()
    }

    /// The database of a part.
    pub fn database(&self, part: Part) -> String {
        if let Some(servers) = &self.servers {
            return servers.database(part);
        }
        format!(
            "sqlite://{}?mode=rwc",
            self.data.join(format!("{part}.db")).display()
        )
    }

    /// The event log that all parts share.
    pub fn events(&self) -> String {
        if let Some(servers) = &self.servers {
            return servers.events();
        }
        format!("embedded:{}", self.data.join("events.db").display())
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

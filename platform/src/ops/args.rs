//! The command line of `baedal ops`.
use clap::{Args, Subcommand};
use url::Url;

use crate::settings::Part;

/// The operator's view: stuck orders, outboxes, dead letters, circuit breakers.
///
/// It asks the gateway with an access token of scope `operator`: a person's, from `baedal login --scopes
/// openid,operator`, or that of a confidential client. Exit codes: 0 all is well, 1 it could not be asked, 2 wrong
/// command line, 3 there is something to look after.
#[derive(Debug, Args)]
pub struct Ops {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) access: Access,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// Where the gateway is, and as whom to ask.
#[derive(Debug, Args)]
pub(super) struct Access {
    /// The gateway's GraphQL endpoint.
    // A name of its own: values of global options reach the level above, where `gateway` is a port.
    #[arg(
        long = "gateway",
        global = true,
        env = "BAEDAL_GATEWAY_URL",
        default_value = "http://127.0.0.1:4000/graphql",
        value_name = "URL"
    )]
    pub gateway_url: Url,
    /// An access token of scope `operator`.
    #[arg(
        long,
        global = true,
        env = "BAEDAL_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub token: Option<String>,
    /// A confidential client that may ask for the scope `operator` itself, when there is no token.
    #[arg(long, global = true, env = "BAEDAL_CLIENT_ID", value_name = "ID")]
    pub client_id: Option<String>,
    /// Its secret.
    #[arg(
        long,
        global = true,
        env = "BAEDAL_CLIENT_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub client_secret: Option<String>,
    /// The auth server, for a confidential client.
    #[arg(
        long,
        global = true,
        env = "ISSUER_URL",
        default_value = "http://127.0.0.1:4001",
        value_name = "URL"
    )]
    pub issuer: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Everything at once: each service, stuck orders, breakers.
    Status,
    /// Orders that have been in a passing status for too long, longest first.
    Orders(Orders),
    /// Events that are written and not yet published.
    Outbox,
    /// Records that consumers could not read or apply; `redrive` has them applied after all.
    DeadLetters {
        #[command(subcommand)]
        command: Option<Letters>,
        #[command(flatten)]
        listed: Listed,
    },
    /// Circuit breakers: order's to payment, and the gateway's to the subgraphs.
    Breakers,
}

#[derive(Debug, Args)]
pub(super) struct Orders {
    /// For how long, in seconds.
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(..=31_536_000))]
    pub older_than: u32,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub first: u32,
}

#[derive(Debug, Args)]
pub(super) struct Listed {
    /// Only those of this service.
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<Part>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Letters {
    /// Hand dead letters to their service's consumer again; what takes effect is no dead letter any more.
    Redrive(Chosen),
    /// Give dead letters up for good.
    Discard {
        /// As the list shows them: SERVICE:TOPIC/PARTITION/OFFSET.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// As the list shows them: SERVICE:TOPIC/PARTITION/OFFSET.
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    pub ids: Vec<String>,
    /// All there are.
    #[arg(long)]
    pub all: bool,
    /// With --all, only those of this service.
    #[arg(long, value_name = "SERVICE", conflicts_with = "ids")]
    pub service: Option<Part>,
}

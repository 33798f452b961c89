//! The order service as a process of its own.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use baedal_kit::{proof::Key, prune::Retention, serve, telemetry};
use baedal_order::{Config, PAYMENT_CONNECTIONS};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 주문: takes orders, has them paid, follows them.
#[derive(Debug, Parser)]
#[command(name = "baedal-order", version)]
struct Args {
    /// Where GraphQL and health are served.
    #[arg(long, env = "BAEDAL_LISTEN", default_value = "127.0.0.1:4011")]
    listen: SocketAddr,
    /// sqlite://PATH?mode=rwc or mongodb://HOST:PORT/DATABASE?replicaSet=NAME
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://data/order.db?mode=rwc",
        hide_env_values = true
    )]
    database_url: String,
    /// embedded:PATH or kafka://HOST:PORT,HOST:PORT
    #[arg(long, env = "EVENTS_URL", default_value = "embedded:data/events.db")]
    events_url: String,
    /// Payment's gRPC address, or several with commas.
    #[arg(long, env = "PAYMENT_GRPC_URL", default_value = "http://127.0.0.1:4022")]
    payment_grpc_url: String,
    /// Issuer of the access tokens.
    #[arg(long, env = "ISSUER_URL", default_value = "http://127.0.0.1:4001")]
    issuer_url: String,
    /// Where the auth server's keys are, when its public URL does not lead there from here.
    #[arg(long, env = "JWKS_URL", value_name = "URL")]
    jwks_url: Option<String>,
    /// Audience an access token must have.
    #[arg(long, env = "AUDIENCE", default_value = "baedal")]
    audience: String,
    /// Demo settings; refused with a real store.
    #[arg(long, env = "DEMO", default_value_t = false, action = clap::ArgAction::Set)]
    demo: bool,
    /// The key by which order proves to payment that it may call it, the same as payment's.
    #[arg(long, env = "PAYMENT_GRPC_KEY", hide_env_values = true)]
    payment_grpc_key: Option<String>,
    /// Milliseconds payment may take for one order.
    #[arg(long, env = "PAYMENT_DEADLINE_MS", default_value_t = 610, value_parser = clap::value_parser!(u64).range(10..=10_000))]
    payment_deadline_ms: u64,
    /// Connections to each of payment's addresses, so that replicas behind one of them all get work.
    #[arg(long, env = "PAYMENT_CONNECTIONS", default_value_t = PAYMENT_CONNECTIONS as u32, value_parser = clap::value_parser!(u32).range(1..=256))]
    payment_connections: u32,
    /// Calls to payment at once; 0 = no bulkhead.
    #[arg(long, env = "PAYMENT_AT_ONCE", default_value_t = 256, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    payment_at_once: u32,
    /// Hours for which applied events are remembered, so that none takes effect twice; at least as long as the event log
    /// keeps them.
    #[arg(long, env = "INBOX_RETENTION_HOURS", default_value_t = 336, value_parser = clap::value_parser!(u64).range(1..=87_600))]
    inbox_retention_hours: u64,
    /// Hours for which the embedded event log keeps events that every group has read.
    #[arg(long, env = "EVENTS_RETENTION_HOURS", default_value_t = 168, value_parser = clap::value_parser!(u64).range(1..=87_600))]
    events_retention_hours: u64,
    /// Seconds a store may take to accept before it is asked to give the order up.
    #[arg(long, env = "ORDER_ACCEPT_WITHIN_SECONDS", default_value_t = 1_800, value_parser = clap::value_parser!(u64).range(1..))]
    accept_within_seconds: u64,
}

impl Args {
    fn config(self) -> anyhow::Result<Config> {
        ensure!(
            !self.demo || self.database_url.starts_with("sqlite:"),
            "order does not start with demo settings against a real store: unset DEMO, or use a sqlite:// DATABASE_URL"
        );
        let config = Config::new(
            self.listen,
            &self.database_url,
            &self.events_url,
            &self.payment_grpc_url,
        );
        let mut config = config.with_payment_deadline(Duration::from_millis(self.payment_deadline_ms));
        config.payment_key = Key::given(self.payment_grpc_key.as_deref()).context("PAYMENT_GRPC_KEY")?;
        config.payment_connections = self.payment_connections as usize;
        config.retention = Retention::hours(self.inbox_retention_hours, self.events_retention_hours)?;
        config.issuer = Some(self.issuer_url);
        config.jwks_url = self.jwks_url;
        config.audience = self.audience;
        config.guards.at_once = (self.payment_at_once > 0).then_some(self.payment_at_once as usize);
        config.limits.acceptance = Duration::from_secs(self.accept_within_seconds);
        Ok(config)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    telemetry::init("order");
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("baedal-order: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let running = baedal_order::start(args.config()?).await?;
    println!("order: {}", running.url());
    serve::until_signal().await;
    running.leave(serve::shutdown_delay()).await;
    running.shutdown().await;
    Ok(())
}

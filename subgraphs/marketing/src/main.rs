//! baedal-marketing: the marketing service as a process of its own.

use anyhow::Context;
use baedal_kit::{prune::Retention, serve, telemetry};
use baedal_marketing::domain::Rules;
use baedal_marketing::{Config, start};
use clap::{ArgAction, Parser};
use std::net::SocketAddr;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The marketing service of the delivery platform: coupons, points and the delivery feed.
#[derive(Parser)]
#[command(name = "baedal-marketing", version)]
struct Args {
    /// Address and port to listen on.
    #[arg(long, env = "BAEDAL_LISTEN", default_value = "127.0.0.1:4014")]
    listen: SocketAddr,
    /// Database: sqlite://PATH?mode=rwc or mongodb://HOST:PORT/DATABASE?replicaSet=NAME.
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://data/marketing.db?mode=rwc",
        hide_env_values = true
    )]
    database_url: String,
    /// Event log: embedded:PATH or kafka://HOST:PORT,HOST:PORT.
    #[arg(long, env = "EVENTS_URL", default_value = "embedded:data/events.db")]
    events_url: String,
    /// URL of the auth server that issues the access tokens.
    #[arg(long, env = "ISSUER_URL", default_value = "http://127.0.0.1:4001")]
    issuer: String,
    /// Where the auth server's keys are, when its public URL does not lead there from here.
    #[arg(long, env = "JWKS_URL", value_name = "URL")]
    jwks_url: Option<String>,
    /// Audience that access tokens must name.
    #[arg(long, env = "AUDIENCE", default_value = "baedal")]
    audience: String,
    /// Hours for which applied events are remembered, so that none takes effect twice; at least as long as the event log
    /// keeps them.
    #[arg(long, env = "INBOX_RETENTION_HOURS", default_value_t = 336, value_parser = clap::value_parser!(u64).range(1..=87_600))]
    inbox_retention_hours: u64,
    /// Hours for which the embedded event log keeps events that every group has read.
    #[arg(long, env = "EVENTS_RETENTION_HOURS", default_value_t = 168, value_parser = clap::value_parser!(u64).range(1..=87_600))]
    events_retention_hours: u64,
    /// Accepted for all services alike; marketing has no demo data, it fills itself from events (SQLite only).
    #[arg(long, env = "DEMO", default_value_t = false, action = ArgAction::Set)]
    demo: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    telemetry::init("marketing");
    anyhow::ensure!(
        !args.demo || args.database_url.starts_with("sqlite:"),
        "DEMO=true is allowed on SQLite only: set DEMO=false, or DATABASE_URL to sqlite://PATH?mode=rwc"
    );
    let config = Config {
        listen: args.listen,
        database_url: args.database_url,
        events_url: args.events_url,
        issuer: args.issuer,
        jwks_url: args.jwks_url,
        audience: args.audience,
        rules: Rules::default(),
        retention: Retention::hours(args.inbox_retention_hours, args.events_retention_hours)?,
    };
    let running = start(config).await.context("baedal-marketing cannot start")?;
    println!("baedal-marketing: {}", running.url());
    serve::until_signal().await;
    running.leave(serve::shutdown_delay()).await;
    running.shutdown().await;
    Ok(())
}

//! The payment service as a process of its own.

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use baedal_kit::{proof::Key, prune::Retention, serve, telemetry};
use baedal_payment::{
    Config, domain::Won, inbound::pace::Pace, outbound::simulated::Manners, ports::Patience,
};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 결제: charges orders, by gRPC; shows payments, by GraphQL.
#[derive(Debug, Parser)]
#[command(name = "baedal-payment", version)]
struct Args {
    /// Where GraphQL and health are served.
    #[arg(long, env = "BAEDAL_LISTEN", default_value = "127.0.0.1:4012")]
    listen: SocketAddr,
    /// Where gRPC is served.
    #[arg(long, env = "PAYMENT_GRPC_LISTEN", default_value = "127.0.0.1:4022")]
    grpc_listen: SocketAddr,
    /// The key by which callers prove that they may call gRPC, the same as theirs. It is required
    /// unless only this machine reaches the port.
    #[arg(long, env = "PAYMENT_GRPC_KEY", hide_env_values = true)]
    grpc_key: Option<String>,
    /// sqlite://PATH?mode=rwc or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://data/payment.db?mode=rwc",
        hide_env_values = true
    )]
    database_url: String,
    /// embedded:PATH or kafka://HOST:PORT,HOST:PORT
    #[arg(long, env = "EVENTS_URL", default_value = "embedded:data/events.db")]
    events_url: String,
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
    /// Hours for which applied events are remembered, so that none takes effect twice; at least as long as the event log
    /// keeps them.
    #[arg(long, env = "INBOX_RETENTION_HOURS", default_value_t = 336, value_parser = clap::value_parser!(u64).range(1..=87_600))]
    inbox_retention_hours: u64,
    /// Hours for which the embedded event log keeps events that every group has read.
    #[arg(long, env = "EVENTS_RETENTION_HOURS", default_value_t = 168, value_parser = clap::value_parser!(u64).range(1..=87_600))]
    events_retention_hours: u64,
    /// Milliseconds after which a payment whose provider has not answered is reconciled.
    #[arg(long, env = "PAYMENT_RECONCILE_AFTER_MS", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(100..=8_000))]
    reconcile_after_ms: u64,
    /// Least milliseconds the simulated provider takes for a charge.
    #[arg(long, env = "PAYMENT_PROVIDER_DELAY_MS", default_value_t = 20)]
    provider_delay_ms: u64,
    /// Up to this many milliseconds more.
    #[arg(long, env = "PAYMENT_PROVIDER_JITTER_MS", default_value_t = 20)]
    provider_jitter_ms: u64,
    /// Charges the simulated provider works on at once.
    #[arg(long, env = "PAYMENT_PROVIDER_CAPACITY", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    provider_capacity: u32,
    /// For demonstrations: milliseconds after which an approve is answered, at least, whatever payment does meanwhile.
    #[arg(long, env = "PAYMENT_ANSWER_DELAY_MS", default_value_t = 0)]
    answer_delay_ms: u64,
    /// Up to this many milliseconds more.
    #[arg(long, env = "PAYMENT_ANSWER_JITTER_MS", default_value_t = 0)]
    answer_jitter_ms: u64,
    /// The largest amount the simulated provider charges, in KRW.
    #[arg(long, env = "PAYMENT_PROVIDER_LIMIT", default_value_t = 1_000_000)]
    provider_limit: i64,
}

impl Args {
    fn config(self) -> anyhow::Result<Config> {
        let embedded = self.database_url.starts_with("sqlite:");
        ensure!(
            !self.demo || embedded,
            "payment does not start with demo settings against a real store: unset DEMO, or use a sqlite:// DATABASE_URL"
        );
        ensure!(
            embedded
                || self.database_url.starts_with("postgres://")
                || self.database_url.starts_with("postgresql://"),
            "DATABASE_URL must begin with sqlite:// or postgres:// for payment"
        );
        let limit = Won::parse(self.provider_limit).context("PAYMENT_PROVIDER_LIMIT is not an amount")?;
        let mut config = Config::new(
            self.listen,
            self.grpc_listen,
            &self.database_url,
            &self.events_url,
        );
        config.retention = Retention::hours(self.inbox_retention_hours, self.events_retention_hours)?;
        config.grpc_key = Key::given(self.grpc_key.as_deref()).context("PAYMENT_GRPC_KEY")?;
        config.issuer = Some(self.issuer_url);
        config.jwks_url = self.jwks_url;
        config.audience = self.audience;
        config.patience = Patience {
            reconcile_after: Duration::from_millis(self.reconcile_after_ms),
            ..config.patience
        };
        config.provider = Manners {
            delay: Duration::from_millis(self.provider_delay_ms),
            jitter: Duration::from_millis(self.provider_jitter_ms),
            capacity: self.provider_capacity as usize,
            limit,
        };
        config.pace = Pace {
            delay: Duration::from_millis(self.answer_delay_ms),
            jitter: Duration::from_millis(self.answer_jitter_ms),
        };
        Ok(config)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    telemetry::init("payment");
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("baedal-payment: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let service = baedal_payment::start_service(args.config()?).await?;
    println!(
        "payment: {} (GraphQL), {} (gRPC)",
        service.running.url(),
        service.grpc_addr
    );
    serve::until_signal().await;
    service.running.leave(serve::shutdown_delay()).await;
    service.running.shutdown().await;
    Ok(())
}

//! `baedal-auth`: the server, and the commands that prepare its database.

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use baedal_auth::admin::{self, GrantType, NewClient, NewUser};
use baedal_auth::{Config, Role};
use clap::{Args, Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// OAuth 2.1 and OpenID Connect server of baedal.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// sqlite://FILE or postgres://user:password@host:port/database
    #[arg(
        long,
        env = "DATABASE_URL",
        global = true,
        default_value = "sqlite://data/auth.db",
        hide_env_values = true
    )]
    database_url: String,
    #[command(flatten)]
    serve: Serve,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args)]
struct Serve {
    /// Address and port to listen on.
    #[arg(long, env = "BAEDAL_LISTEN", default_value = "127.0.0.1:4001")]
    listen: SocketAddr,
    /// The issuer as it stands in tokens, without trailing slash; http://ADDRESS if not given.
    #[arg(long, env = "ISSUER_URL", default_value = "")]
    issuer: String,
    /// `aud` of access tokens.
    #[arg(long, env = "AUDIENCE", default_value = "baedal")]
    audience: String,
    /// A further value of `resource` (RFC 8707); may be repeated.
    #[arg(long = "resource", env = "RESOURCES", value_delimiter = ',')]
    resources: Vec<String>,
    /// Seconds an access token lives.
    #[arg(long, env = "ACCESS_TOKEN_LIFETIME", default_value_t = 600)]
    access_token_lifetime: u32,
    /// Trusted proxies in front that append to X-Forwarded-For.
    #[arg(long, env = "FORWARDED_HOPS", default_value_t = 0)]
    forwarded_hops: usize,
    /// Milliseconds it goes on serving, not ready any more, after it is asked to end.
    #[arg(long, env = "SHUTDOWN_DELAY_MS", default_value_t = 0)]
    shutdown_delay_ms: u64,
    /// Where /metrics is served, with health checks beside it; nowhere if not given.
    #[arg(long, env = "BAEDAL_METRICS_LISTEN", value_name = "ADDR:PORT")]
    metrics_listen: Option<SocketAddr>,
    /// Create accounts with documented passwords (SQLite only).
    #[arg(long, env = "DEMO", num_args = 0..=1, default_value_t = false, default_missing_value = "true")]
    demo: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (also without a command).
    Serve,
    /// Accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// OAuth clients.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Signing keys.
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add an account; the password is read from standard input.
    Add {
        /// What to type to log in.
        #[arg(long)]
        login: String,
        /// customer, owner or operator.
        #[arg(long)]
        role: Role,
        /// The shown name.
        #[arg(long, default_value = "")]
        name: String,
    },
}

#[derive(Subcommand)]
enum ClientCommand {
    /// Add a client; the secret of a confidential one is printed once.
    Add {
        /// client_id.
        #[arg(long)]
        id: String,
        /// The name users see.
        #[arg(long, default_value = "")]
        name: String,
        /// Give it a secret.
        #[arg(long)]
        confidential: bool,
        /// Where codes may go; may be repeated.
        #[arg(long = "redirect-uri")]
        redirect_uris: Vec<String>,
        /// authorization_code, refresh_token, client_credentials or introspection; may be repeated.
        #[arg(long = "grant", required = true)]
        grants: Vec<GrantType>,
        /// openid, profile, offline_access, order, store or operator; may be repeated.
        #[arg(long = "scope")]
        scopes: Vec<String>,
    },
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Publish a new signing key; it signs after two minutes, and the old one stays until its tokens have expired.
    Rotate,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    baedal_telemetry::logs::init();
    let cli = Cli::parse();
    match cli.command {
        None | Some(Command::Serve) => serve(cli.database_url, cli.serve).await,
        Some(Command::User(UserCommand::Add { login, role, name })) => {
            let sub = admin::add_user(
                &cli.database_url,
                NewUser {
                    login,
                    name,
                    role,
                    password: read_password()?,
                },
            )
            .await?;
            println!("{sub}");
            Ok(())
        }
        Some(Command::Client(command)) => add_client(&cli.database_url, command).await,
        Some(Command::Key(KeyCommand::Rotate)) => Ok(admin::add_key(&cli.database_url).await?),
    }
}

async fn serve(database_url: String, flags: Serve) -> anyhow::Result<()> {
    let running = baedal_auth::start(Config {
        listen: flags.listen,
        issuer: flags.issuer,
        database_url,
        demo_accounts: flags.demo,
        audience: flags.audience,
        resources: flags.resources,
        access_token_lifetime: flags.access_token_lifetime,
        forwarded_hops: flags.forwarded_hops,
        metrics_listen: flags.metrics_listen,
        ..Config::default()
    })
    .await?;
    println!(
        "auth server on http://{}, issuer {}",
        running.addr(),
        running.issuer()
    );
    stop_signal().await?;
    running
        .leave(Duration::from_millis(flags.shutdown_delay_ms))
        .await;
    running.shutdown().await;
    Ok(())
}

/// Ctrl-C, or SIGTERM as container engines send it.
async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C"),
    }
}

async fn add_client(database_url: &str, command: ClientCommand) -> anyhow::Result<()> {
    let ClientCommand::Add {
        id,
        name,
        confidential,
        redirect_uris,
        grants,
        scopes,
    } = command;
    let new = NewClient {
        id,
        name,
        confidential,
        redirect_uris,
        grants,
        scopes,
    };
    match admin::add_client(database_url, new).await? {
        Some(secret) => println!("{secret}"),
        None => println!("added"),
    }
    Ok(())
}

/// The password is the first line of standard input, so that it stands in no process list and no history.
fn read_password() -> anyhow::Result<String> {
    let mut text = String::new();
    let limit = std::io::stdin().lock().take(4096).read_to_string(&mut text);
    limit.context("cannot read the password from standard input")?;
    let line = text.lines().next().unwrap_or("");
    anyhow::ensure!(
        !line.is_empty(),
        "give the password on standard input, for example: baedal-auth user add … < password.txt"
    );
    Ok(line.to_owned())
}

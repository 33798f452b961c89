//! `baedal-router serve`.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::ServeArgs;
use super::named::{Named, Place, check_names};
use crate::config::{self, Config, SubgraphConfig};

pub const HELP: &str = "\
Give the graph by exactly one of --supergraph, --subgraph, or the file of --config:
  baedal-router serve --subgraph products=http://127.0.0.1:4101/graphql --listen 127.0.0.1:4000
  baedal-router serve --supergraph supergraph.graphql
  baedal-router serve --config router.yaml

A small router.yaml:
  listen: 127.0.0.1:${env.PORT:-4000}
  subgraphs:
    products: { url: http://127.0.0.1:4101/graphql }
    reviews: { url: http://127.0.0.1:4102/graphql, sdl: reviews.graphql }
  auth:
    issuers: [{ issuer: https://login.example.com, audience: shop }]

Without `auth` the gateway is open to everyone, and says so at start.
/health/live and /health/ready tell how it is. Ctrl-C or SIGTERM stop it after requests under way are answered.
RUST_LOG=debug shows more in the log, LOG_FORMAT=json makes it JSON.";

/// Serves until told to stop.
pub async fn run(args: ServeArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    start_log();
    let config = configure(args)?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let running = tokio::select! {
        started = crate::start(config) => started?,
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
    };
    announce(&running);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping: no new connections, requests under way are answered");
    running.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

fn announce(running: &crate::Running) {
    let mut out = std::io::stdout().lock();
    let ready = if running.is_ready() {
        ""
    } else {
        " (not ready yet, see /health/ready)"
    };
    // Nobody reading stdout is no reason to stop serving.
    let _ = writeln!(out, "baedal-router: GraphQL at {}{ready}", running.url());
    let _ = out.flush();
}

/// The file of `--config`, overridden by flags.
fn configure(args: ServeArgs) -> Result<Config, Box<dyn std::error::Error>> {
    let mut config = match &args.config {
        Some(file) => config::read(file)?,
        None => Config::default(),
    };
    if let Some(file) = args.supergraph {
        config.supergraph.file = Some(file);
    }
    if !args.subgraphs.is_empty() {
        check_names(&args.subgraphs)?;
        config.supergraph.file = None;
        config.subgraphs = args.subgraphs.into_iter().map(live).collect::<Result<_, _>>()?;
    }
    config.listen = args.listen.unwrap_or(config.listen);
    config.path = args.path.unwrap_or(config.path);
    config.check()?;
    Ok(config)
}

fn live(subgraph: Named) -> Result<(String, SubgraphConfig), String> {
    let name = subgraph.name;
    match subgraph.place {
        Place::Live(url) => Ok((name, SubgraphConfig::at(url))),
        Place::File(file) => Err(format!(
            "--subgraph {name}={}: serving needs the subgraph's address; give its URL, or name both in the file of --config:\n  \
             subgraphs:\n    {name}: {{ url: http://…/graphql, sdl: {} }}",
            file.display(),
            file.display()
        )),
    }
}

fn start_log() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if std::env::var("LOG_FORMAT").is_ok_and(|format| format == "json") {
        log.json().init();
    } else {
        log.init();
    }
}

//! `baedal-router serve`.

use std::io::Write;
use std::process::ExitCode;

use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use super::named::{Named, Place, check_names};
use super::{ServeArgs, reload};
use crate::config::{Config, Layers};

pub const HELP: &str = "\
Name the graph by --supergraph, by --subgraph, or in the file of --config:
  baedal-router serve --subgraph products=http://127.0.0.1:4101/graphql --listen 127.0.0.1:4000
  baedal-router serve --supergraph supergraph.graphql
  baedal-router serve --config router.yaml
  baedal-router serve --config router.yaml --config production.yaml

Of several files each is merged over those before it: maps key by key, all else (also lists) is replaced, and a key without a
value has its default again. Flags combine with the files and override them. --subgraph sets the URL of the subgraph of that name, whose other settings
stay, or adds one; all are composed, whatever `supergraph.file` says. --supergraph stands for `supergraph.file`.

A small router.yaml:
  listen: 127.0.0.1:${env.PORT:-4000}
  subgraphs:
    products: { url: http://127.0.0.1:4101/graphql }
    reviews: { url: http://127.0.0.1:4102/graphql, sdl: reviews.graphql }
  auth:
    issuers: [{ issuer: https://login.example.com, audience: shop }]

Without `auth` the gateway is open to everyone, and says so at start.
/health/live and /health/ready tell how it is. A changed file (or SIGHUP) is taken over where that needs no restart. Ctrl-C or SIGTERM stop it after requests under way are answered.
RUST_LOG=debug shows more in the log, BAEDAL_LOG=json makes it JSON.
OTEL_EXPORTER_OTLP_ENDPOINT names a collector that traces are sent to.";

/// Serves until told to stop.
pub async fn run(args: ServeArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    baedal_telemetry::logs::init();
    let config = configure(args)?;
    let hangup = signal(SignalKind::hangup())?;
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
        () = reload::obey(&running, hangup) => {}
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

/// The files of `--config`, overridden by flags.
pub fn configure(args: ServeArgs) -> Result<Config, Box<dyn std::error::Error>> {
    check_names(&args.subgraphs)?;
    let flags = flags(&args)?;
    Ok(Layers::with_flags(args.config, flags).load()?)
}

/// What the flags say, as a file would.
fn flags(args: &ServeArgs) -> Result<Value, String> {
    let mut flags = Value::Null;
    if let Some(file) = &args.supergraph {
        flags["supergraph"]["file"] = file.display().to_string().into();
        flags["supergraph"]["url"] = Value::Null;
    }
    if !args.subgraphs.is_empty() {
        flags["supergraph"]["file"] = Value::Null;
        flags["supergraph"]["url"] = Value::Null;
    }
    for subgraph in &args.subgraphs {
        let (name, url) = live(subgraph.clone())?;
        flags["subgraphs"][name]["url"] = url.to_string().into();
    }
    if let Some(listen) = args.listen {
        flags["listen"] = listen.to_string().into();
    }
    if let Some(path) = &args.path {
        flags["path"] = path.as_str().into();
    }
    Ok(flags)
}

fn live(subgraph: Named) -> Result<(String, Url), String> {
    let name = subgraph.name;
    match subgraph.place {
        Place::Live(url) => Ok((name, url)),
        Place::File(file) => Err(format!(
            "--subgraph {name}={}: serving needs the subgraph's address; give its URL, or name both in the file of --config:\n  \
             subgraphs:\n    {name}: {{ url: http://…/graphql, sdl: {} }}",
            file.display(),
            file.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_subgraph_flag_sets_the_url_and_leaves_other_settings() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("router.yaml");
        let text = "
supergraph: { poll_interval: 3s }
subgraphs:
  a: { url: \"http://a.example/old\", timeout: 7s, sdl: a.graphql }
  b: { url: \"http://b.example/\" }
";
        std::fs::write(&file, text).expect("written");
        let named = |text: &str| text.parse().expect("a named subgraph");
        let args = ServeArgs {
            config: vec![file],
            supergraph: None,
            subgraphs: vec![named("a=http://a.example/new"), named("c=http://c.example/")],
            listen: None,
            path: None,
        };
        let config = configure(args).expect("works");
        let urls: Vec<_> = config
            .subgraphs
            .iter()
            .map(|(name, subgraph)| (name.as_str(), subgraph.url.as_ref().map(Url::as_str)))
            .collect();
        let wanted = [
            ("a", Some("http://a.example/new")),
            ("b", Some("http://b.example/")),
            ("c", Some("http://c.example/")),
        ];
        assert_eq!(urls, wanted);
        assert_eq!(config.subgraphs["a"].timeout, Some(Duration::from_secs(7)));
        assert_eq!(config.subgraphs["a"].sdl, Some(folder.path().join("a.graphql")));
        assert_eq!(config.supergraph.poll_interval, Duration::from_secs(3));
    }
}

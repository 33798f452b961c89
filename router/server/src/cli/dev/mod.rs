//! `baedal-router dev`: from nothing to a federated graph with GraphiQL, while its subgraphs are being written.

mod news;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use self::news::News;
use super::DevArgs;
use super::named::{Named, Place};
use crate::Running;
use crate::config::{Config, SubgraphConfig};

pub const HELP: &str = "\
Composes the subgraphs, serves the graph, and shows GraphiQL with plans at its address:
  baedal-router dev --subgraph products=http://127.0.0.1:4101/graphql --subgraph reviews=http://127.0.0.1:4102/graphql

Every second it looks whether a subgraph or a file has changed. A change that composes is served at once, and what it
means for clients is printed; one that does not is printed with its errors, once, and the last good graph stays.

A FILE is the SDL of a subgraph. Alone it shows in the graph and in plans, but its fields cannot be answered; with the
address of the subgraph besides, its SDL is that of the file and calls go to the address:
  baedal-router dev --subgraph products=http://127.0.0.1:4101/graphql --subgraph reviews=reviews.graphql \\
    --subgraph reviews=http://127.0.0.1:4102/graphql

Made for a developer's machine, and no other: it listens on a loopback address (but for --listen), asks nobody for a token,
shows plans, the schema and every error in full, and closes no circuit to a subgraph that fails. `baedal-router serve` has
none of this.";

/// How often subgraphs and files are looked at.
const POLL: Duration = Duration::from_secs(1);
/// How often it is looked whether there is something to tell.
const TELL: Duration = Duration::from_millis(100);
/// The address of a subgraph that has none: nothing listens on the discard port.
const NOWHERE: &str = "http://127.0.0.1:9/graphql";

/// Serves and tells until told to stop.
pub async fn run(args: DevArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    baedal_telemetry::logs::init_or("warn,baedal_router::supergraph=off");
    let config = configure(&args)?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let running = tokio::select! {
        started = crate::start(config.clone()) => started?,
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
    };
    say(&welcome(&running, &config));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = tell(&running) => {}
    }
    running.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// What is good for development, and for nothing else.
fn configure(args: &DevArgs) -> Result<Config, Box<dyn std::error::Error>> {
    let mut config = Config {
        patient: true,
        ..Config::default()
    };
    config.listen = args.listen.unwrap_or(config.listen);
    config.path = args.path.clone().unwrap_or(config.path);
    config.supergraph.poll_interval = POLL;
    config.page.enabled = true;
    config.page.plan = true;
    config.traffic.breaker.enabled = Some(false);
    config.traffic.shutdown_delay = Duration::ZERO;
    for subgraph in &args.subgraphs {
        add(&mut config, subgraph)?;
    }
    for subgraph in config.subgraphs.values_mut() {
        if subgraph.url.is_none() {
            subgraph.url = Some(NOWHERE.parse()?);
        }
    }
    config.check()?;
    Ok(config)
}

/// A name may come twice: once with an address, once with a file.
fn add(config: &mut Config, named: &Named) -> Result<(), String> {
    let SubgraphConfig { url, sdl, .. } = config.subgraphs.entry(named.name.clone()).or_default();
    let what = match &named.place {
        Place::Live(place) => url.replace(place.clone()).map(|_| "addresses"),
        Place::File(place) => sdl.replace(place.clone()).map(|_| "files"),
    };
    match what {
        Some(what) => Err(format!(
            "the subgraph `{}` is given two {what}; it can have one address and one file",
            named.name
        )),
        None => Ok(()),
    }
}

fn welcome(running: &Running, config: &Config) -> String {
    let mut lines = vec![format!(
        "baedal-router: GraphiQL and GraphQL at {}",
        running.url()
    )];
    for (name, subgraph) in &config.subgraphs {
        let url = subgraph.url.as_ref().map(url::Url::as_str).unwrap_or_default();
        let file = subgraph.sdl.as_ref().map(|file| file.display().to_string());
        lines.push(match file {
            None => format!("  {name}: {url}"),
            Some(file) if url == NOWHERE => {
                format!(
                    "  {name}: {file} (a schema only: give its address as well, --subgraph {name}=http://…)"
                )
            }
            Some(file) => format!("  {name}: {file}, calls go to {url}"),
        });
    }
    lines.push("For development: open to everyone who reaches this address. Ctrl-C stops.".to_owned());
    lines.join("\n")
}

/// Tells what is new until it is dropped.
async fn tell(running: &Running) {
    let mut news = News::default();
    loop {
        for line in news.look(running) {
            say(&line);
        }
        tokio::time::sleep(TELL).await;
    }
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reading stdout is no reason to stop serving.
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(subgraphs: &[&str]) -> Result<Config, String> {
        let args = DevArgs {
            subgraphs: subgraphs
                .iter()
                .map(|text| text.parse().expect("a subgraph"))
                .collect(),
            listen: None,
            path: None,
        };
        configure(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn a_subgraph_has_an_address_a_file_or_both() {
        let config = configured(&[
            "a=http://a.example/",
            "b=b.graphql",
            "c=c.graphql",
            "c=http://c.example/",
        ]);
        let config = config.expect("works");
        let of = |name: &str| {
            let subgraph = &config.subgraphs[name];
            (subgraph.url.clone().map(String::from), subgraph.sdl.clone())
        };
        assert_eq!(of("a"), (Some("http://a.example/".to_owned()), None));
        assert_eq!(of("b"), (Some(NOWHERE.to_owned()), Some("b.graphql".into())));
        assert_eq!(
            of("c"),
            (Some("http://c.example/".to_owned()), Some("c.graphql".into()))
        );
        assert!(config.page.enabled && config.page.plan && config.listen.ip().is_loopback());
        let twice = configured(&["a=http://a.example/", "a=http://b.example/"]).expect_err("twice");
        assert!(twice.contains("two addresses"), "{twice}");
    }
}

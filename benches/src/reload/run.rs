//! The run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::graph::Graph;
use super::load::{Load, Seen};
use crate::process::Process;
use crate::streams::client::{Came, Client};
use crate::streams::report::Report;
use crate::streams::run::raise_open_files;
use crate::streams::upstream::Upstream;

/// A second with a change, or without.
const SECOND: Duration = Duration::from_secs(1);
/// How long all of it warms up.
const WARM: Duration = Duration::from_secs(5);
/// How long memory is given to settle.
const SETTLE: Duration = Duration::from_secs(2);
/// Changes after which memory counts as usual.
const FEW: usize = 10;
/// Subscribers that come at once.
const AT_ONCE: usize = 50;

/// What is measured.
#[derive(Args)]
pub struct ReloadArgs {
    /// The gateway's program.
    #[arg(long)]
    gateway: PathBuf,
    /// Changes that are looked at second by second.
    #[arg(long, default_value_t = 100)]
    changes: usize,
    /// Changes after these, each as soon as the one before is served: for what they leave in memory.
    #[arg(long, default_value_t = 900)]
    more: usize,
    /// Requests in a second.
    #[arg(long, default_value_t = 1_000)]
    rate: u32,
    /// WebSocket connections with a subscription each.
    #[arg(long, default_value_t = 1_000)]
    subscribers: usize,
    /// Distinct subscriptions.
    #[arg(long, default_value_t = 50)]
    topics: usize,
    /// Where the table is kept.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Measures, prints the table, and keeps it. An error if anything wanted was missed.
pub fn run(args: ReloadArgs) -> Result<()> {
    raise_open_files()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(Measuring::of(&args))?;
    let text = page(&args, &report);
    println!("{text}");
    if let Some(out) = &args.out {
        std::fs::write(out, text).with_context(|| out.display().to_string())?;
    }
    ensure!(report.all_kept(), "a figure was missed");
    Ok(())
}

fn page(args: &ReloadArgs, report: &Report) -> String {
    let ReloadArgs {
        changes,
        more,
        rate,
        subscribers,
        topics,
        ..
    } = args;
    let date = time::OffsetDateTime::now_utc().date();
    let machine = crate::report::machine();
    format!(
        "# Changes under load\n\n{date}, {machine}. `cargo xtask reload --changes {changes} --more {more} --rate {rate} \
         --subscribers {subscribers} --topics {topics}`: changes of a subgraph's schema and of the configuration take turns. The gateway is \
         one process; clients and subgraphs are another one on the same machine, and share its processors. Latencies count from when a \
         request was due.\n\n{}",
        report.table()
    )
}

struct Measuring<'a> {
    args: &'a ReloadArgs,
    gateway: Process,
    graph: Graph,
    load: Load,
    /// What was seen in seconds without a change, and with one.
    quiet: Seen,
    changing: Seen,
    /// KiB after few changes.
    early: Option<u64>,
}

/// What became of subscribers.
#[derive(Default)]
struct Subscribers {
    alive: AtomicUsize,
    events: AtomicUsize,
    /// Events that did not come, or came twice.
    gaps: AtomicUsize,
}

impl Measuring<'_> {
    async fn of(args: &ReloadArgs) -> Result<Report> {
        let upstream = Upstream::start().await?;
        let folder = tempfile::tempdir()?;
        let graph = Graph::start(folder.path(), upstream.address).await?;
        let config = graph.config_file().display().to_string();
        let gateway = Process::start(&args.gateway, &["serve", "--config", &config].map(str::to_owned))?;
        let subscribers = subscribe(&gateway, args).await?;
        let topics: Vec<String> = (0..args.topics).map(topic).collect();
        let pause = SECOND / u32::try_from(args.topics.max(1))?;
        tokio::spawn(upstream.emit(topics, pause));
        let mut measuring = Measuring {
            load: Load::start(gateway.address(), args.rate),
            args,
            gateway,
            graph,
            quiet: Seen::default(),
            changing: Seen::default(),
            early: None,
        };
        tokio::time::sleep(WARM).await;
        let warm = measuring.load.cut();
        measuring.quiet.add(Seen {
            latencies: Vec::new(),
            ..warm
        });
        measuring.second_by_second().await?;
        let late = measuring.one_after_another().await?;
        Ok(measuring.report(late, &subscribers))
    }

    /// A second with a change, a second without.
    async fn second_by_second(&mut self) -> Result<()> {
        for number in 1..=self.args.changes {
            let until = Instant::now() + SECOND;
            self.graph.change(&self.gateway, number).await?;
            tokio::time::sleep_until(until).await;
            self.changing.add(self.load.cut());
            tokio::time::sleep(SECOND).await;
            self.quiet.add(self.load.cut());
            if number == FEW {
                self.early = Some(self.gateway.memory()?.now);
            }
        }
        Ok(())
    }

    /// Many more. Gives memory after all of them; requests that fail meanwhile count, their latencies do not.
    async fn one_after_another(&mut self) -> Result<u64> {
        let first = self.args.changes + 1;
        for number in first..first + self.args.more {
            self.graph.change(&self.gateway, number).await?;
        }
        tokio::time::sleep(SETTLE).await;
        let seen = self.load.cut();
        self.changing.add(Seen {
            latencies: Vec::new(),
            ..seen
        });
        Ok(self.gateway.memory()?.now)
    }

    fn report(&self, late: u64, subscribers: &Subscribers) -> Report {
        let mut report = Report::default();
        let Measuring {
            args,
            quiet,
            changing,
            ..
        } = self;
        let all = args.changes + args.more;
        let failed = quiet.failed + changing.failed;
        let why = changing.why.as_ref().or(quiet.why.as_ref());
        let why = why.map_or_else(String::new, |why| format!(" (the first: {why})"));
        report.told("changes served", all.to_string());
        let none = "0: no answer is wrong, no connection refused";
        report.held(
            "requests that failed",
            format!("{failed}{why}"),
            none,
            failed == 0,
        );
        let alive = subscribers.alive.load(Ordering::Relaxed);
        report.held(
            "subscriptions alive at the end",
            alive.to_string(),
            &args.subscribers.to_string(),
            alive == args.subscribers,
        );
        let events = subscribers.events.load(Ordering::Relaxed);
        report.held("events delivered", events.to_string(), "some", events > 0);
        let gaps = subscribers.gaps.load(Ordering::Relaxed);
        report.held("events lost or doubled", gaps.to_string(), "0", gaps == 0);
        let (usual, during) = (quiet.p99(), changing.p99());
        report.told("p99 in seconds without a change", format!("{usual:.2} ms"));
        report.held(
            "p99 in seconds with a change",
            format!("{during:.2} ms"),
            &format!("≤ {:.2} ms (2 × the usual)", usual * 2.0),
            during <= usual * 2.0,
        );
        if let Some(early) = self.early {
            let grown = late as f64 / early as f64;
            report.held(
                &format!("memory after {all} changes ({late} KiB) to that after {FEW} ({early} KiB)"),
                format!("{grown:.2}"),
                "≤ 1.10",
                grown <= 1.1,
            );
        }
        report
    }
}

fn topic(number: usize) -> String {
    format!("topic{number}")
}

/// Subscribes all, and watches each.
async fn subscribe(gateway: &Process, args: &ReloadArgs) -> Result<Arc<Subscribers>> {
    let subscribers: Arc<Subscribers> = Arc::default();
    let (address, topics) = (gateway.address(), args.topics.max(1));
    let mut opening = JoinSet::new();
    for number in 0..args.subscribers {
        if opening.len() >= AT_ONCE {
            let client = opening.join_next().await.context("there is one")??;
            tokio::spawn(watch(client?, topics, Arc::clone(&subscribers)));
        }
        opening.spawn(async move { Client::subscribe(address, number, &topic(number % topics), None).await });
    }
    while let Some(client) = opening.join_next().await {
        tokio::spawn(watch(client??, topics, Arc::clone(&subscribers)));
    }
    Ok(subscribers)
}

/// Each event of a topic has the number of the one before and as many more as there are topics.
async fn watch(mut client: Client, topics: usize, subscribers: Arc<Subscribers>) {
    subscribers.alive.fetch_add(1, Ordering::Relaxed);
    let mut last: Option<usize> = None;
    while let Ok(Came::Text(text)) = client.next().await {
        let Some(cursor) = cursor(&text) else { break };
        if last.is_some_and(|last| cursor != last + topics) {
            subscribers.gaps.fetch_add(1, Ordering::Relaxed);
        }
        last = Some(cursor);
        subscribers.events.fetch_add(1, Ordering::Relaxed);
    }
    subscribers.alive.fetch_sub(1, Ordering::Relaxed);
}

fn cursor(text: &str) -> Option<usize> {
    let (_, rest) = text.split_once(r#""cursor":""#)?;
    rest.split('"').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_no_event() {
        let event = r#"{"id":"1","type":"next","payload":{"data":{"feed":{"cursor":"17","at":"1"}}}}"#;
        assert_eq!(cursor(event), Some(17));
        assert_eq!(cursor(r#"{"id":"1","type":"error","payload":[]}"#), None);
    }
}

//! The run, stretch by stretch.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::{JoinHandle, JoinSet};

use super::client::{Came, Client, lateness};
use super::latency::{Histogram, Latencies};
use super::reload;
use super::report::Report;
use super::upstream::Upstream;
use crate::process::Process;

/// Connections that are opened at the same time, but for those that come again.
const OPENED_AT_ONCE: usize = 100;
/// Clients that warm the gateway up, before its memory counts.
const FIRST: usize = 100;
/// How long memory is given to settle.
const SETTLE: Duration = Duration::from_secs(3);
/// The subgraph's SDL.
const SDL: &str = "feed.graphql";
/// Changes of the schema after which memory counts as usual.
const FEW_RELOADS: usize = 10;
/// One stretch of the fan-out.
const STRETCH: Duration = Duration::from_secs(10);
/// How long clients that never read are left alone.
const UNREAD: Duration = Duration::from_secs(30);
/// What the system may keep for each of them.
const SMALL_BUFFER: u32 = 64 * 1024;

/// What is measured.
#[derive(Args)]
pub struct StreamArgs {
    /// The gateway's program.
    #[arg(long)]
    gateway: PathBuf,
    /// How many subscribe.
    #[arg(long, default_value_t = 10_000)]
    clients: usize,
    /// How long events are fanned out.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Events in a second, of all topics together.
    #[arg(long, default_value_t = 100)]
    rate: u64,
    /// Distinct subscriptions, over which clients are spread evenly.
    #[arg(long, default_value_t = 100)]
    topics: usize,
    /// Clients that never read.
    #[arg(long, default_value_t = 100)]
    slow: usize,
    /// Changes of the schema while all are connected.
    #[arg(long, default_value_t = 1_000)]
    reloads: usize,
    /// Where the table is kept.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Measures, prints the table, and keeps it. An error if anything wanted was missed.
pub fn run(args: StreamArgs) -> Result<()> {
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

fn page(args: &StreamArgs, report: &Report) -> String {
    let StreamArgs {
        clients,
        seconds,
        rate,
        topics,
        slow,
        reloads,
        ..
    } = args;
    let date = time::OffsetDateTime::now_utc().date();
    let machine = crate::report::machine();
    format!(
        "# Streams under load\n\n{date}, {machine}. `cargo xtask streams --clients {clients} --seconds {seconds} --rate {rate} \
         --topics {topics} --slow {slow} --reloads {reloads}`: the gateway is one process; clients and the subgraph are another one on the same \
         machine, and share its processors. {rate} events/s are {} deliveries/s.\n\n{}",
        *rate as usize * clients / topics,
        report.table()
    )
}

/// As many as the system lets. The gateway inherits it.
pub(crate) fn raise_open_files() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).context("the limit of open files")
}

struct Measuring<'a> {
    args: &'a StreamArgs,
    gateway: Process,
    upstream: Upstream,
    latencies: Latencies,
    report: Report,
}

/// Clients that read all that comes.
struct Readers {
    tasks: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    /// How many were closed though they were to stay.
    lost: Arc<AtomicUsize>,
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Measuring<'_> {
    async fn of(args: &StreamArgs) -> Result<Report> {
        let upstream = Upstream::start().await?;
        let folder = tempfile::tempdir()?;
        let gateway = start_gateway(&args.gateway, folder.path(), &upstream)?;
        let mut measuring = Measuring {
            args,
            gateway,
            upstream,
            latencies: Latencies::default(),
            report: Report::default(),
        };
        let readers = measuring.idle().await?;
        let topics = (0..args.topics).map(topic).collect();
        let pause = Duration::from_secs(1) / u32::try_from(args.rate.max(1))?;
        let emitting = tokio::spawn(measuring.upstream.clone().emit(topics, pause));
        let usual = measuring.fan_out(&readers).await?;
        measuring.never_reading(usual).await?;
        measuring.reload(&folder.path().join(SDL)).await?;
        measuring.report.held(
            "clients that read and were closed",
            readers.lost.load(Ordering::Relaxed).to_string(),
            "0",
            readers.lost.load(Ordering::Relaxed) == 0,
        );
        drop(readers);
        measuring.all_come_again().await?;
        emitting.abort();
        Ok(measuring.report)
    }

    /// What clients cost that only wait.
    async fn idle(&mut self) -> Result<Readers> {
        drop(self.connect(FIRST, OPENED_AT_ONCE).await?);
        tokio::time::sleep(SETTLE).await;
        let before = self.gateway.memory()?.now;
        let clients = self.connect(self.args.clients, OPENED_AT_ONCE).await?;
        tokio::time::sleep(SETTLE).await;
        let after = self.gateway.memory()?.now;
        let each = after.saturating_sub(before) as f64 / self.args.clients as f64;
        self.report
            .told("gateway without clients", format!("{before} KiB"));
        self.report.held(
            &format!("memory of each of {} idle clients", self.args.clients),
            format!("{each:.1} KiB"),
            "≤ 10 KiB",
            each <= 10.0,
        );
        let (open, _) = self.upstream.streams();
        self.report.held(
            "upstreams",
            open.to_string(),
            &format!("{} (one for each distinct subscription)", self.args.topics),
            open == self.args.topics.min(self.args.clients),
        );
        Ok(self.read(clients))
    }

    /// The usual latency, stretch by stretch; given back is the median of their p99.
    async fn fan_out(&mut self, readers: &Readers) -> Result<f64> {
        // The first events find nothing warm.
        tokio::time::sleep(SETTLE).await;
        self.latencies.cut();
        let (cpu, begun, memory) = (self.gateway.cpu()?, Instant::now(), self.gateway.memory()?.now);
        let mut stretches = Vec::new();
        while begun.elapsed() < Duration::from_secs(self.args.seconds) {
            tokio::time::sleep(STRETCH.min(Duration::from_secs(self.args.seconds))).await;
            stretches.push(self.latencies.cut());
        }
        let elapsed = begun.elapsed().as_secs_f64();
        let used = (self.gateway.cpu()? - cpu).as_secs_f64() / elapsed;
        let usual = self.tell_fan_out(&stretches, elapsed, readers);
        self.report
            .told("processors the gateway used", format!("{used:.2}"));
        let grown = self.gateway.memory()?.now as f64 / memory as f64;
        self.report.held(
            "memory at its end to its begin",
            format!("{grown:.2}"),
            "≤ 1.10",
            grown <= 1.1,
        );
        Ok(usual)
    }

    fn tell_fan_out(&mut self, stretches: &[Arc<Histogram>], elapsed: f64, readers: &Readers) -> f64 {
        let count: u64 = stretches.iter().map(|stretch| stretch.count()).sum();
        let wanted = self.args.rate as f64 * (readers.tasks.len() / self.args.topics) as f64;
        let rate = count as f64 / elapsed;
        self.report.held(
            "deliveries",
            format!("{rate:.0}/s"),
            &format!("{wanted:.0}/s, all of them"),
            rate >= wanted * 0.98,
        );
        let mut p99: Vec<f64> = stretches.iter().map(|stretch| stretch.quantile(0.99)).collect();
        p99.sort_unstable_by(f64::total_cmp);
        let (median, worst) = (p99[p99.len() / 2], p99[p99.len() - 1]);
        self.report
            .told("p99 of stretches of 10 s: median", format!("{median:.1} ms"));
        self.report.held(
            "p99 of stretches of 10 s: worst",
            format!("{worst:.1} ms"),
            "≤ 250 ms",
            worst <= 250.0,
        );
        median
    }

    /// Clients that never read, and what the others notice of them.
    async fn never_reading(&mut self, usual: f64) -> Result<()> {
        let fat = vec!["fat".to_owned()];
        let emitting = tokio::spawn(self.upstream.clone().emit(fat, Duration::from_millis(25)));
        let address = self.gateway.address();
        let mut slow = Vec::new();
        for number in 0..self.args.slow {
            slow.push(Client::subscribe(address, number, "fat", Some(SMALL_BUFFER)).await?);
        }
        self.latencies.cut();
        tokio::time::sleep(UNREAD).await;
        let during = self.latencies.cut().quantile(0.99);
        emitting.abort();
        let bound = usual * 1.1;
        self.report.held(
            &format!(
                "p99 of the others beside {} clients that never read",
                self.args.slow
            ),
            format!("{during:.1} ms"),
            &format!("≤ {bound:.1} ms (10 % above {usual:.1} ms)"),
            during <= bound,
        );
        let mut told = 0;
        for client in slow {
            told += usize::from(is_told(client).await);
        }
        self.report.held(
            "of them, closed with 4413, SLOW_CONSUMER and the cursor of the last event they got",
            told.to_string(),
            &self.args.slow.to_string(),
            told == self.args.slow,
        );
        Ok(())
    }

    /// Memory after many changes of the schema next to that after a few.
    async fn reload(&mut self, file: &Path) -> Result<()> {
        let address = self.gateway.address();
        let mut early = None;
        self.latencies.cut();
        for number in 1..=self.args.reloads {
            reload::change(address, file, number).await?;
            if number == FEW_RELOADS {
                early = Some(self.gateway.memory()?.now);
            }
        }
        let Some(early) = early else {
            return Ok(());
        };
        let grown = self.gateway.memory()?.now as f64 / early as f64;
        self.report.held(
            &format!(
                "memory after {} changes of the schema to that after {FEW_RELOADS}",
                self.args.reloads
            ),
            format!("{grown:.2}"),
            "≤ 1.10",
            grown <= 1.1,
        );
        let late = self.latencies.cut().quantile(0.99);
        self.report.told(
            "p99 while the schema changed all the time",
            format!("{late:.1} ms"),
        );
        Ok(())
    }

    /// All clients are gone, and come at the same time.
    async fn all_come_again(&mut self) -> Result<()> {
        tokio::time::sleep(SETTLE).await;
        let begun = Instant::now();
        let clients = self.connect(self.args.clients, self.args.clients).await?;
        let back = begun.elapsed().as_secs_f64();
        self.report.held(
            &format!("{} clients come again at once: all are back after", clients.len()),
            format!("{back:.1} s"),
            "≤ 10 s",
            back <= 10.0,
        );
        let (_, most) = self.upstream.streams();
        let bound = self.args.topics * 2 + 1;
        self.report.held(
            "upstreams at most",
            most.to_string(),
            &format!("≤ {bound}"),
            most <= bound,
        );
        Ok(())
    }

    async fn connect(&self, count: usize, at_once: usize) -> Result<Vec<Client>> {
        let address = self.gateway.address();
        let topics = self.args.topics;
        let (mut opening, mut clients) = (JoinSet::new(), Vec::with_capacity(count));
        for number in 0..count {
            if opening.len() >= at_once {
                clients.push(opened(opening.join_next().await)?);
            }
            opening.spawn(
                async move { Client::subscribe(address, number, &topic(number % topics), None).await },
            );
        }
        while !opening.is_empty() {
            clients.push(opened(opening.join_next().await)?);
        }
        Ok(clients)
    }

    fn read(&self, clients: Vec<Client>) -> Readers {
        let (stop, lost) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let epoch = self.upstream.epoch;
        let reader = |mut client: Client| {
            let (stop, lost, latencies) = (Arc::clone(&stop), Arc::clone(&lost), self.latencies.clone());
            tokio::spawn(async move {
                while let Ok(Came::Text(text)) = client.next().await {
                    lateness(&text, epoch).inspect(|late| latencies.note(*late));
                }
                if !stop.load(Ordering::Relaxed) {
                    lost.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let tasks = clients.into_iter().map(reader).collect();
        Readers { tasks, stop, lost }
    }
}

fn opened(ended: Option<Result<Result<Client>, tokio::task::JoinError>>) -> Result<Client> {
    ended.context("there is one")??
}

fn topic(number: usize) -> String {
    format!("topic{number}")
}

/// Reads what is left for a client that did not: at its end must be the reason, and the cursor of its last event.
async fn is_told(mut client: Client) -> bool {
    let mut cursor = String::new();
    let reading = async {
        loop {
            match client.next().await {
                Ok(Came::Text(text)) => {
                    let (_, rest) = text.split_once(r#""cursor":""#)?;
                    cursor = rest.split('"').next()?.to_owned();
                }
                Ok(Came::Closed(code, reason)) => return Some((code, reason)),
                Err(_) => return None,
            }
        }
    };
    let end = tokio::time::timeout(Duration::from_secs(20), reading).await;
    let wanted = format!(r#"SLOW_CONSUMER {{"1":"{cursor}"}}"#);
    matches!(end, Ok(Some((4413, reason))) if reason == wanted)
}

/// The gateway of a graph with one subgraph.
fn start_gateway(program: &Path, folder: &Path, upstream: &Upstream) -> Result<Process> {
    std::fs::write(folder.join(SDL), reload::sdl(0))?;
    let config = format!(
        "listen: 127.0.0.1:0\nsupergraph: {{ poll_interval: 100ms }}\nsubgraphs:\n  feed: {{ url: \"http://{}/graphql\", sdl: {SDL} }}\n",
        upstream.address
    );
    let file = folder.join("router.yaml");
    std::fs::write(&file, config)?;
    let arguments = ["serve", "--config", &file.display().to_string()].map(str::to_owned);
    Process::start(program, &arguments)
}

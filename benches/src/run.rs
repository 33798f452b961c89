//! A run: everything is started, warmed up, measured in turns, and ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::domain::{self, Scope};
use crate::load::{self, Exchange};
use crate::process::{Memory, Process};
use crate::queries::{Size, Varied};
use crate::recording;
use crate::report;

/// Connections of the usual load.
pub const CONNECTIONS: usize = 50;
/// How long a server is warmed up.
const WARM_UP: Duration = Duration::from_millis(700);

/// How equal requests are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Class {
    /// Each request is executed.
    A,
    /// Equal requests under way share one execution.
    B,
}

/// What to measure.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArgs {
    /// The gateway's program
    #[arg(long)]
    pub gateway: PathBuf,
    /// Only this class of serving equal requests
    #[arg(long)]
    pub class: Option<Class>,
    /// Only this size of query (and no varied traffic)
    #[arg(long)]
    pub size: Option<Size>,
    /// Only this kind of varied traffic (and none of the sizes)
    #[arg(long, conflicts_with = "size")]
    pub varied: Option<Varied>,
    /// Length of each measurement
    #[arg(long, default_value_t = 2.0)]
    pub seconds: f64,
    /// Measurements of each server, taken in turns; their medians are shown
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Write the report to this file too
    #[arg(long)]
    pub out: Option<PathBuf>,
}

/// A server that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A plain server of the same bytes.
    Bytes,
    /// The bare calls, on one runtime for each core.
    Calls,
    /// The bare calls, on one runtime over all cores.
    SpreadCalls,
    /// The gateway.
    Gateway(Class),
}

/// The medians of what was measured of a server.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Processor time for one request, in milliseconds.
    pub cpu: f64,
    /// The largest and the smallest of it, as a share of the median.
    pub spread: f64,
    /// Requests in a second.
    pub rate: f64,
    /// Latencies in milliseconds: half, 95 % and 99 % were faster.
    pub latency: [f64; 3],
}

/// What was measured of a server with one query.
#[derive(Debug, Clone)]
pub struct Row {
    /// The server.
    pub target: Target,
    /// With many connections.
    pub many: Figures,
    /// With one.
    pub one: Figures,
    /// At the end.
    pub memory: Memory,
}

/// What was measured with one size of query.
#[derive(Debug, Clone)]
pub struct Sized {
    /// The size.
    pub size: Size,
    /// Bytes of the answer.
    pub bytes: usize,
    /// Calls to subgraphs, by step.
    pub calls: Vec<usize>,
    /// One for each server.
    pub rows: Vec<Row>,
}

/// What was measured with varied traffic.
#[derive(Debug, Clone)]
pub struct Mixed {
    /// The kind.
    pub kind: Varied,
    /// Bytes of one of the answers.
    pub bytes: usize,
    /// The figures.
    pub figures: Figures,
    /// At the end.
    pub memory: Memory,
}

/// Everything that stands still during a run.
struct World {
    arguments: RunArgs,
    folder: TempDir,
    supergraph: String,
    urls: Vec<(Scope, String)>,
    _subgraphs: Process,
}

/// Measures, and reports to stdout and the file asked for.
pub fn run(arguments: RunArgs) -> Result<()> {
    let world = World::start(arguments)?;
    let mut sized = Vec::new();
    for size in Size::ALL {
        let wanted = world.arguments.size.is_none_or(|only| only == size);
        if wanted && world.arguments.varied.is_none() {
            sized.push(world.measure(size)?);
        }
    }
    let mut mixed = Vec::new();
    for kind in Varied::ALL {
        let wanted = world.arguments.varied.is_none_or(|only| only == kind);
        if wanted && world.arguments.size.is_none() {
            mixed.push(world.vary(kind)?);
        }
    }
    let text = report::markdown(&world.arguments, &sized, &mixed)?;
    println!("{text}");
    if let Some(file) = &world.arguments.out {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

impl World {
    fn start(arguments: RunArgs) -> Result<World> {
        let subgraphs = Process::start(&std::env::current_exe()?, &["subgraphs".to_owned()])?;
        ensure!(
            subgraphs.addresses.len() == Scope::SUBGRAPHS.len(),
            "a subgraph is missing"
        );
        let places = Scope::SUBGRAPHS.into_iter().zip(&subgraphs.addresses);
        let urls: Vec<_> = places
            .map(|(scope, place)| (scope, format!("http://{place}/graphql")))
            .collect();
        let supergraph = recording::compose(&urls)?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("supergraph.graphql"), &supergraph)?;
        Ok(World {
            arguments,
            folder,
            supergraph,
            urls,
            _subgraphs: subgraphs,
        })
    }

    fn targets(&self) -> Vec<Target> {
        let classes = [Class::A, Class::B].into_iter();
        let classes = classes.filter(|class| self.arguments.class.is_none_or(|only| only == *class));
        [Target::Bytes, Target::Calls, Target::SpreadCalls]
            .into_iter()
            .chain(classes.map(Target::Gateway))
            .collect()
    }

    fn measure(&self, size: Size) -> Result<Sized> {
        let recording = recording::record(&self.supergraph, &self.urls, size.query())?;
        let whole = domain::answer(Scope::Whole, &size.body());
        ensure!(
            recording.answer.as_bytes() == whole,
            "the plan of {} is wrong",
            size.name()
        );
        let file = self.folder.path().join(format!("{}.json", size.name()));
        recording.write(&file)?;
        let exchange = [Exchange::new(&size.body(), whole)];
        let mut started = Vec::new();
        for target in self.targets() {
            started.push((target, self.start_target(target, &file)?));
        }
        eprintln!("{}: warming up", size.name());
        for (_, process) in &started {
            load::drive(process.address(), &exchange, CONNECTIONS, WARM_UP, 0)?;
        }
        let many = self.in_turns(size.name(), &started, &exchange, CONNECTIONS)?;
        let one = self.in_turns(size.name(), &started, &exchange, 1)?;
        let mut rows = Vec::new();
        for (((target, process), many), one) in started.iter().zip(many).zip(one) {
            let memory = process.memory()?;
            rows.push(Row {
                target: *target,
                many,
                one,
                memory,
            });
        }
        Ok(Sized {
            size,
            bytes: recording.answer.len(),
            calls: recording.steps.iter().map(Vec::len).collect(),
            rows,
        })
    }

    /// Measures each server once, and again, so that what else the machine does meets all of them alike.
    fn in_turns(
        &self,
        name: &str,
        started: &[(Target, Process)],
        exchanges: &[Exchange],
        connections: usize,
    ) -> Result<Vec<Figures>> {
        let mut all: Vec<Vec<Figures>> = vec![Vec::new(); started.len()];
        for round in 0..self.arguments.rounds {
            eprintln!("{name}: {connections} connections, round {}", round + 1);
            for ((target, process), figures) in started.iter().zip(&mut all) {
                let one = self.once(process, exchanges, connections, 0);
                figures.push(one.with_context(|| format!("{name}, {target:?}"))?);
            }
        }
        Ok(all.iter().map(|figures| median(figures)).collect())
    }

    fn once(
        &self,
        process: &Process,
        exchanges: &[Exchange],
        connections: usize,
        first: usize,
    ) -> Result<Figures> {
        let before = process.cpu()?;
        let time = Duration::from_secs_f64(self.arguments.seconds);
        let measured = load::drive(process.address(), exchanges, connections, time, first)?;
        let used = process.cpu()?.saturating_sub(before);
        Ok(Figures {
            cpu: used.as_secs_f64() * 1e3 / measured.requests() as f64,
            spread: 0.0,
            rate: measured.rate(),
            latency: [0.5, 0.95, 0.99].map(|share| measured.percentile(share)),
        })
    }

    fn vary(&self, kind: Varied) -> Result<Mixed> {
        eprintln!("{}", kind.name());
        let process = self.start_target(Target::Gateway(Class::A), Path::new(""))?;
        let mut exchanges = Vec::new();
        for body in kind.bodies() {
            exchanges.push(checked(&process, &body)?);
        }
        load::drive(process.address(), &exchanges, CONNECTIONS, WARM_UP, 0)?;
        let mut figures = Vec::new();
        for round in 1..=self.arguments.rounds {
            figures.push(self.once(&process, &exchanges, CONNECTIONS, round * 10_000_000)?);
        }
        let bytes = load::ask(process.address(), &exchanges[0])?.len();
        Ok(Mixed {
            kind,
            bytes,
            figures: median(&figures),
            memory: process.memory()?,
        })
    }

    fn start_target(&self, target: Target, recording: &Path) -> Result<Process> {
        let threads = std::thread::available_parallelism()?.to_string();
        let limit = |name: &str, more: &[&str]| {
            let recording = recording.display().to_string();
            let usual = [name, "--recording", &recording, "--threads", &threads];
            let arguments: Vec<String> = usual.iter().chain(more).map(|&word| word.to_owned()).collect();
            Process::start(&std::env::current_exe()?, &arguments)
        };
        match target {
            Target::Bytes => limit("bytes", &[]),
            Target::Calls => limit("calls", &[]),
            Target::SpreadCalls => limit("calls", &["--spread"]),
            Target::Gateway(class) => self.start_gateway(class),
        }
    }

    fn start_gateway(&self, class: Class) -> Result<Process> {
        let file = self.folder.path().join(format!("{class:?}.yaml"));
        let share = match class {
            Class::A => "",
            Class::B => "traffic: { share_equal_requests: true }\n",
        };
        let supergraph = self.folder.path().join("supergraph.graphql");
        let text = format!(
            "listen: 127.0.0.1:0\nsupergraph: {{ file: {} }}\n{share}",
            supergraph.display()
        );
        std::fs::write(&file, text)?;
        let arguments = ["serve", "--config", &file.display().to_string()].map(str::to_owned);
        Process::start(&self.arguments.gateway, &arguments)
    }
}

/// The exchange for a body whose answer differs from run to run or has errors: what the gateway answers first, if its
/// data is what one server with all the data gives, and it has as many errors.
fn checked(process: &Process, body: &[u8]) -> Result<Exchange> {
    let wanted: Value = serde_json::from_slice(&domain::answer(Scope::Whole, body))?;
    let exchange = Exchange::new(body, Vec::new());
    let got = load::ask(process.address(), &exchange)?;
    let told: Value = serde_json::from_slice(&got)?;
    let errors = |answer: &Value| answer["errors"].as_array().map_or(0, Vec::len);
    let text = String::from_utf8_lossy(&got);
    ensure!(told["data"] == wanted["data"], "a wrong answer: {text}");
    ensure!(
        errors(&told) == errors(&wanted),
        "errors are missing, or too many: {text}"
    );
    Ok(exchange.expecting(got))
}

fn median(all: &[Figures]) -> Figures {
    let of = |pick: &dyn Fn(&Figures) -> f64| {
        let mut values: Vec<f64> = all.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        let (first, last) = (values[0], values[values.len() - 1]);
        (values[values.len() / 2], last - first)
    };
    let (cpu, range) = of(&|figures| figures.cpu);
    Figures {
        cpu,
        spread: range / cpu,
        rate: of(&|figures| figures.rate).0,
        latency: [0, 1, 2].map(|at| of(&|figures| figures.latency[at]).0),
    }
}

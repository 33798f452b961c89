//! `cargo xtask faults`: the experiments in their long form.
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use baedal_tests::faults::experiments::{ALL, named};
use baedal_tests::faults::report::{Row, page};
use baedal_tests::faults::{Experiment, Plan, run, server};
use clap::Parser;

/// Makes faults, and looks whether the platform holds.
#[derive(Parser)]
#[command(name = "cargo xtask faults")]
struct Options {
    /// Which experiment; `all` for all of them, `list` to see them.
    #[arg(default_value = "all")]
    name: String,
    /// What every moment and choice comes from; of the clock when not given.
    #[arg(long)]
    seed: Option<u64>,
    /// How often the fault is made; each experiment has its own number.
    #[arg(long)]
    runs: Option<u32>,
    /// Again and again for so long, each time with the next seed.
    #[arg(long)]
    minutes: Option<u64>,
    /// Take the experiment's safety net away: it must fail then.
    #[arg(long)]
    sabotage: bool,
    /// Do not hold the bounds of time, on a busy machine.
    #[arg(long)]
    untimed: bool,
    /// Where the page with the results goes.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match all(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn all(options: &Options) -> Result<bool> {
    if options.name == "list" {
        for experiment in ALL {
            println!("{:<24} {}", experiment.name, experiment.fault);
        }
        return Ok(true);
    }
    let chosen: Vec<&'static Experiment> = match options.name.as_str() {
        "all" => ALL.iter().collect(),
        name => vec![named(name).with_context(|| format!("no experiment {name}; `list` shows them"))?],
    };
    let seed = options.seed.unwrap_or_else(clock_seed);
    println!("seed {seed}");
    let mut rows = Vec::new();
    let start = Instant::now();
    let until = Duration::from_secs(options.minutes.unwrap_or(0) * 60);
    for round in 0.. {
        for experiment in &chosen {
            rows.push(one(experiment, options, seed + round).await?);
        }
        if start.elapsed() >= until {
            break;
        }
    }
    if let Some(out) = &options.out {
        std::fs::write(
            out,
            page(&rows, (&shell("date", &["-u", "+%Y-%m-%d"]), &machine(), seed)),
        )?;
    }
    let failed = rows.iter().filter(|row| row.outcome.is_err()).count();
    server::end_all();
    println!("{} experiments, {failed} failed", rows.len());
    Ok(failed == 0)
}

async fn one(experiment: &'static Experiment, options: &Options, seed: u64) -> Result<Row> {
    let plan = Plan {
        program: program()?,
        seed,
        runs: options.runs.unwrap_or(if options.sabotage {
            experiment.runs.0.max(2)
        } else {
            experiment.runs.1
        }),
        sabotage: options.sabotage,
        timed: !options.untimed,
    };
    let (runs, start) = (plan.runs, Instant::now());
    let outcome = run(experiment, plan).await;
    let row = Row {
        experiment,
        runs,
        sabotage: options.sabotage,
        took: start.elapsed(),
        outcome: outcome.map_err(|error| format!("{error:#}")),
    };
    println!("{}", row.line());
    Ok(row)
}

/// The platform's program lies beside this one.
fn program() -> Result<String> {
    let own = std::env::current_exe()?;
    let program = own.parent().unwrap_or(Path::new(".")).join("baedal-process");
    if !program.exists() {
        bail!("{} is not built", program.display());
    }
    program.to_str().map(str::to_owned).context("a path is text")
}

fn clock_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |time| time.as_secs())
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model
        .unwrap_or_default()
        .trim_start_matches(['\t', ' ', ':'])
        .to_owned();
    format!(
        "{} · {cores} cores {model} · debug build",
        shell("uname", &["-sr"])
    )
}

fn shell(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or(String::new(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

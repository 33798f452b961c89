//! `cargo xtask scenario`: runs acceptance scenarios and says whether they hold.
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use baedal_tests::cluster::Start;
use baedal_tests::scenario::{Options, Scenario, Verdict, machine};
use clap::Parser;

/// Acceptance scenarios.
#[derive(Parser)]
struct Args {
    /// Which.
    #[arg(required = true, value_enum)]
    scenarios: Vec<Scenario>,
    /// Less load; numbers about speed are not demanded.
    #[arg(long)]
    short: bool,
    /// What everything random comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Users at once.
    #[arg(long)]
    users: Option<usize>,
    /// Seconds of load.
    #[arg(long)]
    seconds: Option<u64>,
    /// On SQLite and the embedded event log, not on real servers.
    #[arg(long)]
    embedded: bool,
    /// Where the services' programs are; without it they run in this process.
    #[arg(long)]
    programs: Option<PathBuf>,
    /// Write each result there.
    #[arg(long)]
    results: Option<PathBuf>,
    /// The command as it was typed, for the results.
    #[arg(long, default_value = "baedal-scenario")]
    command: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let mut missed = 0;
    for scenario in &args.scenarios {
        match one(*scenario, &args).await {
            Ok(true) => {}
            Ok(false) => missed += 1,
            Err(error) => {
                eprintln!("{}: {error:?}", scenario.name());
                missed += 1;
            }
        }
    }
    match missed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Runs one scenario; whether it holds.
async fn one(scenario: Scenario, args: &Args) -> Result<bool> {
    let options = Options {
        short: args.short,
        seed: args.seed,
        users: args.users,
        lasts: args.seconds.map(Duration::from_secs),
        servers: !args.embedded,
        start: args.programs.clone().map_or(Start::Inside, Start::Programs),
    };
    let machine = machine();
    let verdict = scenario.run(&options).await?;
    let text = described(&verdict, args, &machine);
    println!("{text}");
    for line in verdict.missed() {
        println!("MISSED: {line}");
    }
    println!(
        "{}: {}\n",
        scenario.name(),
        if verdict.holds() { "holds" } else { "does NOT hold" }
    );
    if let Some(folder) = &args.results {
        std::fs::create_dir_all(folder)?;
        let file = folder.join(format!("{}.md", scenario.name()));
        std::fs::write(&file, &text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(verdict.holds())
}

fn described(verdict: &Verdict, args: &Args, machine: &str) -> String {
    let stores = match args.embedded {
        true => "embedded stores",
        false => "MongoDB, Postgres and Kafka on the same machine",
    };
    let now = time::OffsetDateTime::now_utc();
    let (date, minute) = (now.date(), now.time());
    format!(
        "{}- {date} {:02}:{:02} UTC; {machine}; {stores}; seed {}\n- `{}`\n",
        verdict.markdown(),
        minute.hour(),
        minute.minute(),
        args.seed,
        args.command
    )
}

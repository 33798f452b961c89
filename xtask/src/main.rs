//! Development commands: `cargo xtask check|deploy|page|test|differential|faults|fuzz|loom|bench|scenario|streams|reload|servers|schema`.
//!
//! This crate drives other programs (cargo, the database servers); it has no logic of the product.
mod bench;
mod check;
mod chromium;
mod deploy;
mod differential;
mod faults;
mod fuzz;
mod loom;
mod page;
mod reload;
mod review;
mod run;
mod scenario;
mod schema;
mod servers;
mod streams;
mod test;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Development commands of baedal")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Formatting, lints (warnings are errors) and the rules of the house.
    Check,
    /// The manifests and alerts of deploy/: schemas of Kubernetes, promtool's checks and unit tests. Part of `check`.
    Deploy,
    /// The page that the gateway shows to browsers, built anew into router/server/page/dist (needs Node and npm).
    Page,
    /// Every test, on the embedded stack and on real MongoDB, Postgres, Kafka and Redis.
    ///
    /// The servers are found by MONGODB_URL, POSTGRES_URL, KAFKA_BROKERS and REDIS_URL; for those not set they are
    /// started: with Docker Compose where an engine runs, else from packages under target/servers.
    Test {
        /// Passed on to `cargo test` (for example `-p baedal-order`, or `-- name_of_a_test`).
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Let libFuzzer look for inputs that make the gateway's stages panic, hang or take too much memory.
    Fuzz(fuzz::Fuzz),
    /// Measure, and compare with the figures kept in docs/results/.
    Bench(bench::Bench),
    /// Compare generated federated graphs with one server that has all their data; a difference is made small
    /// and shown (and, with DIFFERENTIAL_SAVE=FOLDER, written as case folders).
    Differential {
        /// How many operations.
        #[arg(long, default_value_t = 10_000)]
        cases: u64,
        /// What the graphs and operations are generated from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Try every interleaving of a few threads at the circuit breaker.
    Loom,
    /// Make faults (kill -9, cuts, lost disks, restarted servers) and look whether the platform holds.
    ///
    /// `cargo xtask faults list` shows the experiments; `all` writes docs/results/faults.md.
    Faults {
        /// `[NAME|all|list] [--seed N] [--runs N] [--minutes N] [--sabotage] [--untimed]`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Let many clients subscribe at the gateway: memory of each, latency, slow clients, all coming again.
    ///
    /// Prints the table, and keeps it in docs/results/streams.md.
    Streams(streams::Streams),
    /// Change schema and configuration under load: no request may fail, no subscription end, no memory be left behind.
    ///
    /// Prints the table, and keeps it in docs/results/reload.md.
    Reload(reload::Reload),
    /// Run acceptance scenarios (T1 to T6 and the open graph) with the real programs on real servers: prints tables and
    /// verdicts, keeps the results of long forms in docs/results/scenarios/, and fails when a number is missed.
    Scenario(scenario::Scenario),
    /// Start MongoDB, Postgres, Kafka and Redis, print their addresses, and keep them until Ctrl-C.
    Servers,
    /// Write schema/ anew: subgraph SDLs, the supergraph, and the events' examples and JSON Schemas.
    Schema,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Check => check::check(),
        Command::Deploy => deploy::check(),
        Command::Page => page::build(),
        Command::Test { arguments } => test::test(&arguments),
        Command::Fuzz(fuzz) => fuzz.run(),
        Command::Bench(bench) => bench.run(),
        Command::Differential { cases, seed } => differential::differential(cases, seed),
        Command::Loom => loom::loom(),
        Command::Faults { arguments } => faults::run(&arguments),
        Command::Streams(streams) => streams.run(),
        Command::Reload(reload) => reload.run(),
        Command::Scenario(scenario) => scenario.run(),
        Command::Servers => servers::run_until_interrupted(),
        Command::Schema => schema::export(),
    }
}

//! The command line: `serve`, `dev`, `compose`, `check`, `plan`, `explain`, `anonymize`, `check-config`,
//! `config`.
//!
//! Results go to stdout, everything else to stderr. Exit code 0 is success, 1 a failure that was explained, 2 a command
//! line that was not understood (of `check` also: it could not be found out).

mod anonymize;
mod check;
mod check_config;
mod compose;
mod config;
mod dev;
mod explain;
mod gather;
mod named;
mod plan;
mod reload;
mod serve;
mod tags;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use named::Named;
use tags::TagArgs;

/// A GraphQL federation gateway: one graph from many subgraphs.
#[derive(Debug, Parser)]
#[command(name = "baedal-router", version, about, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  Serve two running subgraphs as one graph, recomposed when they change:
    baedal-router serve --subgraph products=http://127.0.0.1:4101/graphql --subgraph reviews=http://127.0.0.1:4102/graphql
  Develop them, with GraphiQL, recomposed as you write:
    baedal-router dev --subgraph products=http://127.0.0.1:4101/graphql --subgraph reviews=reviews.graphql
  Check that they compose, and keep the result:
    baedal-router compose --subgraph products=http://127.0.0.1:4101/graphql --subgraph reviews=reviews.graphql > supergraph.graphql
  See what a change would break for clients:
    baedal-router check --against supergraph.graphql --subgraph products=products.graphql --subgraph reviews=reviews.graphql
  See how a query would be answered:
    baedal-router plan --supergraph supergraph.graphql query.graphql
  And why:
    baedal-router explain --supergraph supergraph.graphql query.graphql
  Show a problem of it to others, under other names:
    baedal-router anonymize --supergraph supergraph.graphql --operations query.graphql --out report
  Find out what is wrong with a configuration file, before a gateway has to:
    baedal-router check-config router.yaml";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a graph over HTTP and WebSocket
    #[command(after_help = serve::HELP)]
    Serve(ServeArgs),
    /// Develop subgraphs: serve them as one graph with GraphiQL, and tell what each change does
    #[command(after_help = dev::HELP)]
    Dev(DevArgs),
    /// Compose subgraphs into a supergraph, or print all composition errors as JSON
    #[command(after_help = compose::HELP)]
    Compose(ComposeArgs),
    /// Tell what a change of the graph breaks for its clients
    #[command(after_help = check::HELP)]
    Check(CheckArgs),
    /// Print how a query would be answered: which subgraph is asked what, and when
    #[command(after_help = plan::HELP)]
    Plan(PlanArgs),
    /// Print why each fetch of a plan is there, what it needs and what it yields
    #[command(after_help = explain::HELP)]
    Explain(PlanArgs),
    /// Write a graph and operations under other names, so that a problem can be shown to others
    #[command(after_help = anonymize::HELP)]
    Anonymize(AnonymizeArgs),
    /// Tell everything that is wrong with a configuration, with file, line and column
    #[command(after_help = check_config::HELP)]
    CheckConfig(CheckConfigArgs),
    /// Print the JSON Schema of the configuration file, or the configuration that a gateway would use
    #[command(subcommand, after_help = config::HELP)]
    Config(ConfigCommand),
}

/// Commands below `config`.
#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the JSON Schema of the configuration file
    #[command(after_help = config::SCHEMA_HELP)]
    Schema,
    /// Print the configuration that `serve` would use with the same arguments
    #[command(after_help = config::PRINT_HELP)]
    Print(PrintArgs),
}

/// Arguments of `config print`.
#[derive(Debug, Args)]
struct PrintArgs {
    #[command(flatten)]
    serve: ServeArgs,
    /// Print JSON, not YAML
    #[arg(long)]
    json: bool,
}

/// Arguments of `check-config`.
#[derive(Debug, Args)]
struct CheckConfigArgs {
    /// YAML files; later ones are merged over earlier ones
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Also gather and compose the graph, and read it as `serve` would
    #[arg(long)]
    with_graph: bool,
}

/// Arguments of `serve`.
#[derive(Debug, Clone, Args)]
struct ServeArgs {
    /// YAML file; repeat it for more, each merged over those before it. Flags override what they say
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Serve this supergraph (join specification); looked at for changes while serving
    #[arg(long, value_name = "FILE", conflicts_with = "subgraphs")]
    supergraph: Option<PathBuf>,
    /// Compose and serve this subgraph; repeat for each one. It needs nothing but `_service { sdl }`. With --config,
    /// this is its URL, and what the file says else of this name and of other subgraphs stays
    #[arg(long = "subgraph", value_name = "NAME=URL")]
    subgraphs: Vec<Named>,
    /// Where to listen [default: 127.0.0.1:4000]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Path of the GraphQL endpoint [default: /graphql]
    #[arg(long, value_name = "/PATH")]
    path: Option<String>,
}

/// Arguments of `dev`.
#[derive(Debug, Args)]
struct DevArgs {
    /// A subgraph by URL (asked for its SDL) or SDL file, or by both with the same name; repeat for each one
    #[arg(long = "subgraph", value_name = "NAME=URL_OR_FILE", required = true)]
    subgraphs: Vec<Named>,
    /// Where to listen [default: 127.0.0.1:4000]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Path of the GraphQL endpoint and of GraphiQL [default: /graphql]
    #[arg(long, value_name = "/PATH")]
    path: Option<String>,
}

/// Arguments of `compose`.
#[derive(Debug, Args)]
struct ComposeArgs {
    /// A subgraph by URL (asked for its SDL) or SDL file; repeat for each one
    #[arg(long = "subgraph", value_name = "NAME=URL_OR_FILE", required = true)]
    subgraphs: Vec<Named>,
    #[command(flatten)]
    tags: TagArgs,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
struct CheckArgs {
    /// The supergraph that clients use today
    #[arg(long, value_name = "SUPERGRAPH")]
    against: PathBuf,
    /// A subgraph of tomorrow by URL or SDL file; repeat for each one
    #[arg(
        long = "subgraph",
        value_name = "NAME=URL_OR_FILE",
        required_unless_present = "supergraph",
        conflicts_with = "supergraph"
    )]
    subgraphs: Vec<Named>,
    /// The supergraph of tomorrow
    #[arg(long, value_name = "FILE")]
    supergraph: Option<PathBuf>,
    /// Operations of clients: a file, or a folder of .graphql and .gql files; repeat for more
    #[arg(long, value_name = "DIR_OR_FILE")]
    operations: Vec<PathBuf>,
    #[command(flatten)]
    tags: TagArgs,
    /// Print a JSON array of {level, code, coordinate, message, operations}
    #[arg(long)]
    json: bool,
}

/// Arguments of `anonymize`.
#[derive(Debug, Args)]
struct AnonymizeArgs {
    /// A subgraph by URL (asked for its SDL) or SDL file; repeat for each one
    #[arg(
        long = "subgraph",
        value_name = "NAME=URL_OR_FILE",
        required_unless_present = "supergraph",
        conflicts_with = "supergraph"
    )]
    subgraphs: Vec<Named>,
    /// A supergraph (join specification)
    #[arg(long, value_name = "FILE")]
    supergraph: Option<PathBuf>,
    /// Operations: a file, or a folder of .graphql and .gql files; repeat for more
    #[arg(long, value_name = "DIR_OR_FILE")]
    operations: Vec<PathBuf>,
    /// The folder to write to: a new one, or an empty one
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write a list of old and new names here. Not to be shared: it undoes all this
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
}

/// Arguments of `plan` and `explain`.
#[derive(Debug, Args)]
struct PlanArgs {
    /// The supergraph (join specification), as `compose` prints it
    #[arg(long, value_name = "FILE")]
    supergraph: PathBuf,
    /// File with the query; `-` reads it from stdin
    #[arg(value_name = "QUERY_FILE")]
    query: PathBuf,
    /// Which operation of the file, if it has several
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// Values of variables; they matter where @skip or @include use them
    #[arg(long, value_name = "JSON", default_value = "{}")]
    variables: String,
    /// Plan with this label of @override(label:) active; repeat for each one
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Plan for a caller who is known and has this scope; repeat for each one
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Plan for a caller for whom this policy holds; repeat for each one
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
    /// Plan for a caller who is not known
    #[arg(long, conflicts_with_all = ["scopes", "policies"])]
    anonymous: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs a command.
pub async fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command {
        Command::Serve(args) => serve::run(args).await,
        Command::Dev(args) => dev::run(args).await,
        Command::Compose(args) => compose::run(args).await,
        Command::Check(args) => check::run(args).await,
        Command::Plan(args) => plan::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Anonymize(args) => anonymize::run(args).await,
        Command::CheckConfig(args) => check_config::run(args).await,
        Command::Config(command) => config::run(command),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

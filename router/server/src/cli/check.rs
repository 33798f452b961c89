//! `baedal-router check`: what a change of the graph breaks for its clients.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use baedal_composition::compare::{Change, Level, Usage, compare};
use baedal_composition::{Diagnostic, diagnostics};
use baedal_planner::Supergraph;

use super::CheckArgs;
use super::gather::gather;
use super::named::check_names;
use crate::supergraph::sdl;

pub const HELP: &str = "\
Compares the public schema of --against with that of the subgraphs (composed) or of --supergraph:
  breaking    an operation that is valid today would be refused, or get another type of answer
  dangerous   all stay valid, but clients may meet enum values or types they did not know, or a default has changed
  safe        no operation notices
With --operations only changes that one of them notices count. Exit code: 0 nothing breaking, 1 something breaking,
2 it could not be found out (the subgraphs do not compose, a file cannot be read).

Check a pull request of one subgraph against what is served, the others as they run:
  baedal-router check --against supergraph.graphql --subgraph products=products.graphql \\
    --subgraph reviews=http://127.0.0.1:4102/graphql
Check what it means for the operations of our apps, as JSON:
  baedal-router check --against old.graphql --supergraph new.graphql --operations apps/operations --json";

/// Nothing was compared.
const NOT_FOUND_OUT: u8 = 2;

/// Why nothing could be compared.
enum Failure {
    /// The subgraphs do not compose, or the contract leaves nothing.
    Errors(Vec<Diagnostic>, Vec<baedal_composition::Subgraph>),
    Other(String),
}

impl From<String> for Failure {
    fn from(why: String) -> Failure {
        Failure::Other(why)
    }
}

/// Compares and prints.
pub async fn run(args: CheckArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    match changes(&args).await {
        Ok(changes) => {
            let breaking = changes.iter().any(|change| change.level == Level::Breaking);
            if args.json {
                writeln!(out, "{}", serde_json::to_string_pretty(&changes)?)?;
            } else {
                write!(out, "{}", told(&changes))?;
            }
            Ok(ExitCode::from(u8::from(breaking)))
        }
        Err(Failure::Errors(errors, subgraphs)) => {
            if args.json {
                writeln!(out, "{}", serde_json::to_string_pretty(&errors)?)?;
            } else {
                eprint!("{}", diagnostics::render(&errors, &subgraphs));
            }
            Ok(ExitCode::from(NOT_FOUND_OUT))
        }
        Err(Failure::Other(why)) => {
            eprintln!("error: {why}");
            Ok(ExitCode::from(NOT_FOUND_OUT))
        }
    }
}

async fn changes(args: &CheckArgs) -> Result<Vec<Change>, Failure> {
    check_names(&args.subgraphs)?;
    let before = public(args, read(&args.against)?, &args.against.display().to_string())?;
    let (text, what) = match &args.supergraph {
        Some(file) => (read(file)?, file.display().to_string()),
        None => (composed(args).await?, "the composed supergraph".to_owned()),
    };
    let after = public(args, text, &what)?;
    let changes = compare(before.api_schema(), after.api_schema());
    if args.operations.is_empty() {
        return Ok(changes);
    }
    Ok(usage(&before, &args.operations)?.noticed(changes))
}

/// The public schema of a supergraph, under the contract of the command line.
fn public(args: &CheckArgs, text: String, what: &str) -> Result<Supergraph, Failure> {
    let variant = args.tags.variant(text);
    let variant = variant.map_err(|error| Failure::Errors(vec![error], Vec::new()))?;
    sdl::read(&variant).map_err(|error| Failure::Other(format!("{what}: {error}")))
}

async fn composed(args: &CheckArgs) -> Result<String, Failure> {
    let subgraphs = gather(&args.subgraphs).await;
    let subgraphs = subgraphs.map_err(|errors| Failure::Errors(errors, Vec::new()))?;
    match baedal_composition::compose(&subgraphs) {
        Ok(composed) => Ok(composed.supergraph_sdl),
        Err(errors) => Err(Failure::Errors(errors, subgraphs)),
    }
}

fn usage(before: &Supergraph, places: &[PathBuf]) -> Result<Usage, String> {
    let mut usage = Usage::default();
    for place in places {
        for file in documents(place)? {
            let text = read(&file)?;
            usage
                .add(before.api_schema(), &file.display().to_string(), &text)
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(usage)
}

/// The file, or all `.graphql` and `.gql` files of the folder and of those in it, by name.
pub(super) fn documents(place: &Path) -> Result<Vec<PathBuf>, String> {
    if !place.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let unreadable = |error| format!("cannot read {}: {error}", place.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(place).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            found.extend(documents(&path)?);
        } else if path
            .extension()
            .is_some_and(|kind| kind == "graphql" || kind == "gql")
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

/// One line a change, then how many of each.
pub(super) fn told(changes: &[Change]) -> String {
    let word = |level: Level| match level {
        Level::Breaking => "breaking ",
        Level::Dangerous => "dangerous",
        Level::Safe => "safe     ",
    };
    let mut text = String::new();
    for change in changes {
        text.push_str(&format!(
            "{}  {}  {}\n",
            word(change.level),
            change.code,
            change.message
        ));
        for operation in &change.operations {
            text.push_str(&format!("           noticed by {operation}\n"));
        }
    }
    let count = |level: Level| changes.iter().filter(|change| change.level == level).count();
    text.push_str(&format!(
        "{} breaking, {} dangerous, {} safe\n",
        count(Level::Breaking),
        count(Level::Dangerous),
        count(Level::Safe)
    ));
    text
}

//! `baedal-router anonymize`: a graph made shareable.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use baedal_composition::anonymize::Anonymizer;
use baedal_composition::{Subgraph, compose};

use super::AnonymizeArgs;
use super::check::documents;
use super::gather::gather;
use super::named::check_names;

pub const HELP: &str = "\
Writes the graph, and operations on it, under other names: for a report of a problem that must not show what the graph is
about. Names of types, fields, arguments, enum values, variables, directives and subgraphs are replaced, the same one always
by the same; descriptions, comments, strings and addresses are dropped; numbers stay. What federation and GraphQL define
keeps its name. Names stay in their alphabetical order, so that the result composes, or fails, and is planned like the original.

A composition that fails:
  baedal-router anonymize --subgraph products=products.graphql --subgraph reviews=http://127.0.0.1:4102/graphql --out report
  baedal-router compose --subgraph s0=report/s0.graphql --subgraph s1=report/s1.graphql
A plan that is wrong:
  baedal-router anonymize --supergraph supergraph.graphql --operations slow.graphql --out report
  baedal-router plan --supergraph report/supergraph.graphql report/operation-0.graphql

Look through the files before you share them. --names keeps the list of old and new names, for yourself: it undoes all this.";

/// Texts of one graph.
struct Graph {
    subgraphs: Vec<Subgraph>,
    supergraph: Option<String>,
    operations: Vec<String>,
}

/// Reads, replaces, writes.
pub async fn run(args: AnonymizeArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    check_names(&args.subgraphs)?;
    refuse_what_is_there(&args.out)?;
    let graph = read(&args).await?;
    let schemas = graph.subgraphs.iter().map(|subgraph| subgraph.sdl.as_str());
    let anonymizer = Anonymizer::new(
        schemas.chain(graph.supergraph.as_deref()),
        graph.subgraphs.iter().map(|subgraph| subgraph.name.as_str()),
        graph.operations.iter().map(String::as_str),
    );
    let other = graph.under(&anonymizer);
    let written = other.write(&args.out)?;
    if let Some(names) = &args.names {
        let pairs = anonymizer
            .pairs()
            .into_iter()
            .map(|(old, new)| format!("{new}\t{old}\n"));
        std::fs::write(names, pairs.collect::<String>()).map_err(|error| unwritable(names, &error))?;
    }
    let mut out = std::io::stdout().lock();
    for file in &written {
        writeln!(out, "{}", file.display())?;
    }
    // What was not kept is better known before the report is sent.
    match (graph.verdict(), other.verdict()) {
        (before, after) if before == after => {
            eprintln!("{}", told(&after, graph.subgraphs.is_empty()));
            Ok(ExitCode::SUCCESS)
        }
        (before, after) => Err(format!(
            "under other names the graph composes otherwise: [{}] became [{}]; the files are of no use for a report of this",
            before.join(", "),
            after.join(", ")
        )
        .into()),
    }
}

fn told(codes: &[String], is_composed: bool) -> String {
    match codes {
        _ if is_composed => "Look through the files before you share them.".to_owned(),
        [] => "It composes, like the original. Look through the files before you share them.".to_owned(),
        codes => format!(
            "It fails with {}, like the original. Look through the files before you share them.",
            codes.join(", ")
        ),
    }
}

async fn read(args: &AnonymizeArgs) -> Result<Graph, Box<dyn std::error::Error>> {
    let subgraphs = gather(&args.subgraphs).await.map_err(|errors| {
        let messages: Vec<String> = errors.into_iter().map(|error| error.message).collect();
        messages.join("; ")
    })?;
    let text = |file: &Path| {
        std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
    };
    let supergraph = args.supergraph.as_deref().map(text).transpose()?;
    let mut operations = Vec::new();
    for place in &args.operations {
        for file in documents(place)? {
            operations.push(text(&file)?);
        }
    }
    Ok(Graph {
        subgraphs,
        supergraph,
        operations,
    })
}

/// A folder with older files would be shared with them.
fn refuse_what_is_there(folder: &Path) -> Result<(), String> {
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(format!(
            "--out {}: there is something in it; name a new folder, so that nothing else is shared with it",
            folder.display()
        )),
        Ok(false) | Err(_) => Ok(()),
    }
}

impl Graph {
    fn under(&self, anonymizer: &Anonymizer) -> Graph {
        let subgraph = |one: &Subgraph| Subgraph {
            name: anonymizer.subgraph(&one.name),
            url: String::new(),
            sdl: anonymizer.schema(&one.sdl),
        };
        let operation = |text: &String| anonymizer.operations(text);
        Graph {
            subgraphs: self.subgraphs.iter().map(subgraph).collect(),
            supergraph: self.supergraph.as_deref().map(|text| anonymizer.schema(text)),
            operations: self.operations.iter().map(operation).collect(),
        }
    }

    /// Codes of composition errors, sorted; none where it composes, or is composed.
    fn verdict(&self) -> Vec<String> {
        if self.subgraphs.is_empty() {
            return Vec::new();
        }
        let errors = compose(&self.subgraphs).err().unwrap_or_default();
        let mut codes: Vec<String> = errors.into_iter().map(|error| error.code).collect();
        codes.sort();
        codes
    }

    fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, String> {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        let subgraphs = self.subgraphs.iter().map(|one| (one.name.clone(), &one.sdl));
        let supergraph = self.supergraph.iter().map(|text| ("supergraph".to_owned(), text));
        let operations = self.operations.iter().enumerate();
        let operations = operations.map(|(number, text)| (format!("operation-{number}"), text));
        let files = subgraphs.chain(supergraph).chain(operations);
        let write = |(name, text): (String, &String)| {
            let file = folder.join(format!("{name}.graphql"));
            let text = format!("{}\n", text.trim());
            std::fs::write(&file, text).map_err(|error| unwritable(&file, &error))?;
            Ok(file)
        };
        files.map(write).collect()
    }
}

fn unwritable(file: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}", file.display())
}

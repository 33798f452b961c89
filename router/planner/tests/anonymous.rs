//! A graph under other names is planned alike.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use baedal_composition::anonymize::Anonymizer;
use baedal_composition::{Subgraph, compose};
use baedal_planner::{Access, Operation, Plan, Settings, Supergraph, plan};
use serde::Deserialize;
use serde_json::{Map, Value};

struct Case {
    name: String,
    subgraphs: Vec<Subgraph>,
    /// Queries and variables.
    operations: Vec<(String, Map<String, Value>)>,
}

/// What matters of an operation in `operations.yaml`.
#[derive(Deserialize)]
struct Written {
    query: Option<String>,
    variables: Option<Map<String, Value>>,
}

/// Those that execute, but for the ones whose supergraph was written by hand.
fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/federation/cases");
    let folders = std::fs::read_dir(root).expect("the cases");
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.expect("readable").path()).collect();
    folders.sort();
    folders
        .iter()
        .filter(|folder| !folder.join("supergraph.graphql").exists())
        .map(|folder| read(folder))
        .collect()
}

fn read(folder: &Path) -> Case {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a case")
        .map(|entry| entry.expect("readable").path())
        .filter(|file| file.extension().is_some_and(|end| end == "graphql"))
        .collect();
    files.sort();
    let name = |file: &Path| file.file_stem().expect("a name").to_string_lossy().into_owned();
    let subgraph = |file: &PathBuf| Subgraph {
        name: name(file),
        url: format!("http://{}.example", name(file)),
        sdl: std::fs::read_to_string(file).expect("SDL"),
    };
    let operations = std::fs::read_to_string(folder.join("operations.yaml")).expect("operations");
    let operations: Vec<Written> = serde_norway::from_str(&operations).expect("a list");
    let operation = |operation: Written| Some((operation.query?, operation.variables.unwrap_or_default()));
    Case {
        name: name(folder),
        subgraphs: files.iter().map(subgraph).collect(),
        operations: operations.into_iter().filter_map(operation).collect(),
    }
}

fn planned(supergraph: &Supergraph, query: &str, variables: &Map<String, Value>) -> Result<Plan, String> {
    let operation = Operation::parse(supergraph, query, None).map_err(|error| format!("{error:?}"))?;
    // Only conditions matter for a plan.
    let coerced = operation
        .coerce_variables(supergraph, variables)
        .unwrap_or_else(|_| variables.clone());
    plan(
        supergraph,
        &operation,
        &coerced,
        &Settings::default(),
        &Access::unrestricted(),
    )
    .map_err(|error| error.code().to_owned())
}

/// What is left of a plan without names.
fn shape(plan: &Plan, subgraph: impl Fn(&str) -> String) -> Vec<String> {
    let fetch = |fetch: &baedal_planner::plan::Fetch| {
        format!(
            "{} after {:?}: {}",
            subgraph(&fetch.subgraph),
            fetch.after,
            skeleton(fetch.query.as_ref())
        )
    };
    plan.fetches.iter().map(fetch).collect()
}

fn skeleton(query: &str) -> String {
    let mut skeleton = String::new();
    for one in query.chars() {
        match one.is_ascii_alphanumeric() || one == '_' {
            true if skeleton.ends_with('x') => {}
            true => skeleton.push('x'),
            false => skeleton.push(one),
        }
    }
    skeleton
}

#[test]
fn a_graph_under_other_names_is_planned_alike() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for case in cases() {
        let Ok(composed) = compose(&case.subgraphs) else {
            continue;
        };
        let schemas = case.subgraphs.iter().map(|subgraph| subgraph.sdl.as_str());
        let names = case.subgraphs.iter().map(|subgraph| subgraph.name.as_str());
        let queries = case.operations.iter().map(|(query, _)| query.as_str());
        let supergraph = composed.supergraph_sdl.as_str();
        let anonymizer = Anonymizer::new(schemas.chain([supergraph]), names, queries);
        let all = anonymizer.pairs();
        // A variable may be named as a subgraph is: its own new name counts, which comes last.
        let own = all.iter().filter(|(old, new)| anonymizer.subgraph(old) != *new);
        let pairs: BTreeMap<&str, &str> = all.iter().chain(own).copied().collect();
        let before = Supergraph::parse(supergraph).expect("readable");
        let others = case.subgraphs.iter().map(|one| Subgraph {
            name: anonymizer.subgraph(&one.name),
            url: one.url.clone(),
            sdl: anonymizer.schema(&one.sdl),
        });
        let recomposed = compose(&others.collect::<Vec<_>>())
            .expect("it composes")
            .supergraph_sdl;
        for text in [recomposed, anonymizer.schema(supergraph)] {
            let after =
                Supergraph::parse(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", case.name));
            for (query, variables) in &case.operations {
                let renamed = variables.iter().map(|(name, value)| {
                    let name = pairs.get(name.as_str()).copied().unwrap_or(name);
                    (name.to_owned(), value.clone())
                });
                let one = planned(&before, query, variables);
                let other = planned(&after, &anonymizer.operations(query), &renamed.collect());
                let one = one.map(|plan| shape(&plan, |name| anonymizer.subgraph(name)));
                let other = other.map(|plan| shape(&plan, str::to_owned));
                if one != other && !(one.is_err() && other.is_err()) {
                    wrong.push(format!("{}: {query}\n  {one:#?}\n  became {other:#?}", case.name));
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 300, "{seen}");
    assert!(
        wrong.is_empty(),
        "{} of {seen}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

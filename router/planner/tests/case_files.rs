//! Reads the planner's case folders; also for `examples/plan-figures.rs`.
use std::path::{Path, PathBuf};

use baedal_composition::{Subgraph, compose};
use baedal_planner::Supergraph;
use serde_json::{Map, Value};

/// Definitions every supergraph begins with, so that cases need not repeat them.
const PRELUDE: &str = include_str!("cases/prelude.graphql");

pub fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

pub fn sdl(body: &str) -> String {
    let mut prelude = PRELUDE.to_owned();
    for (root, line) in [
        ("Mutation", "  mutation: Mutation\n"),
        ("Subscription", "  subscription: Subscription\n"),
    ] {
        if !body.contains(&format!("type {root} ")) {
            prelude = prelude.replace(line, "");
        }
    }
    format!("{prelude}\n{body}")
}

pub fn supergraph(body: &str) -> Supergraph {
    Supergraph::parse(&sdl(body)).expect("the supergraph is readable")
}

/// A case's supergraph: written by hand (`supergraph.graphql`), or composed of `subgraphs.graphql`,
/// in which each subgraph begins with a line `### name`
/// (`### name v1`: Federation 1).
pub fn case(name: &str) -> (String, Supergraph) {
    let folder = cases().join(name);
    if let Ok(body) = std::fs::read_to_string(folder.join("supergraph.graphql")) {
        return (sdl(&body), supergraph(&body));
    }
    let text = std::fs::read_to_string(folder.join("subgraphs.graphql")).expect("the case exists");
    let sdl = composed(&text);
    let sg = Supergraph::parse(&sdl).unwrap_or_else(|e| panic!("{name}: {e}\n{sdl}"));
    (sdl, sg)
}

/// Composes subgraphs written in one text.
pub fn composed(text: &str) -> String {
    const LINK: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.7\", import: [\"@key\", \"@external\", \"@requires\", \"@provides\", \"@shareable\", \"@override\", \"@inaccessible\", \"@interfaceObject\", \"@authenticated\", \"@requiresScopes\"])";
    let parts = text.split("### ").skip(1).map(|part| {
        let (name, sdl) = part.split_once('\n').expect("a name and SDL");
        let (name, first_version) = name
            .trim()
            .strip_suffix(" v1")
            .map_or((name.trim(), false), |name| (name, true));
        let sdl = if first_version {
            sdl.to_owned()
        } else {
            format!("{LINK}\n{sdl}")
        };
        Subgraph {
            name: name.to_owned(),
            url: format!("http://{name}"),
            sdl,
        }
    });
    let parts: Vec<Subgraph> = parts.collect();
    compose(&parts)
        .unwrap_or_else(|errors| panic!("does not compose: {errors:#?}"))
        .supergraph_sdl
}

/// `# variables: {…}` on the first line of an operation file.
pub fn variables_of(text: &str) -> Map<String, Value> {
    let first = text.lines().next().unwrap_or_default();
    match first.strip_prefix("# variables:") {
        Some(json) => serde_json::from_str(json).expect("variables are a JSON object"),
        None => Map::new(),
    }
}

/// Operation files of a case, sorted.
pub fn operations(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .flatten()
        .map(|e| e.path())
        .collect();
    files.retain(|p| {
        p.extension().is_some_and(|e| e == "graphql")
            && !p.ends_with("supergraph.graphql")
            && !p.ends_with("subgraphs.graphql")
    });
    files.sort();
    files
}

/// Names of the case folders.
pub fn folders() -> Vec<String> {
    let entries = std::fs::read_dir(cases())
        .expect("there are cases")
        .flatten()
        .map(|e| e.path());
    let folders = entries
        .filter(|p| p.is_dir())
        .filter_map(|p| Some(p.file_name()?.to_str()?.to_owned()));
    let mut names: Vec<String> = folders.collect();
    names.sort();
    assert!(names.len() > 20, "the cases are found");
    names
}

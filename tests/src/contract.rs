//! The files under `schema/`, made from the code.
//!
//! * `subgraphs/NAME.graphql`: each subgraph's SDL;
//! * `supergraph.graphql`: composed from them, with the addresses of `cargo run`;
//! * `events/TYPE.json`: topic, alias, version, an example and the JSON Schema of each event;
//! * `events/recorded/TYPE.vN.json`: an event as it was first published. Written once and never again:
//!   records of old events stay in logs, so today's readers must read them.
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use apollo_compiler::ExecutableDocument;
use baedal_composition::{Subgraph, compose, diagnostics};
use baedal_events::Entry;
use baedal_planner::Supergraph;
use serde_json::{Value, json};

/// A file and what it should hold.
pub struct File {
    /// Path below `schema/`.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}

/// `schema/`.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schema")
}

/// The subgraphs with the addresses they have under `cargo run`.
pub fn subgraphs() -> Vec<Subgraph> {
    let of = |name: &str, port: u16, sdl: String| Subgraph {
        name: name.to_owned(),
        url: format!("http://127.0.0.1:{port}/graphql"),
        sdl,
    };
    vec![
        of("marketing", 4014, baedal_marketing::sdl()),
        of("order", 4011, baedal_order::sdl()),
        of("payment", 4012, baedal_payment::sdl()),
        of("store", 4013, baedal_store::sdl()),
    ]
}

/// Every exported file that follows the code.
///
/// # Errors
/// The subgraphs do not compose; with every reason.
pub fn files() -> Result<Vec<File>> {
    let subgraphs = subgraphs();
    let composed =
        compose(&subgraphs).map_err(|errors| anyhow!("{}", diagnostics::render(&errors, &subgraphs)))?;
    let mut files = vec![File {
        path: "supergraph.graphql".into(),
        text: composed.supergraph_sdl,
    }];
    for subgraph in subgraphs {
        let text = format!("{}\n", subgraph.sdl.trim_end());
        files.push(File {
            path: format!("subgraphs/{}.graphql", subgraph.name).into(),
            text,
        });
    }
    for event in baedal_events::all() {
        let content = json!({
            "type": event.r#type, "topic": event.topic, "alias": event.alias, "version": event.version,
            "example": event.example, "schema": event.schema,
        });
        files.push(File {
            path: format!("events/{}.json", event.r#type).into(),
            text: pretty(&content),
        });
    }
    Ok(files)
}

/// The recorded form of each event's current version.
pub fn recorded() -> Vec<File> {
    let all = baedal_events::all().into_iter();
    let file = |event: baedal_events::Entry| File {
        path: format!("events/recorded/{}.v{}.json", event.r#type, event.version).into(),
        text: pretty(&event.example),
    };
    all.map(file).collect()
}

/// Writes all of them; what is recorded already stays as it is.
///
/// # Errors
/// See [`files`]; a file that cannot be written.
pub fn export() -> Result<()> {
    let new_records = recorded()
        .into_iter()
        .filter(|file| !folder().join(&file.path).exists());
    for file in files()?.into_iter().chain(new_records) {
        let path = folder().join(&file.path);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(&path, file.text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The operations of clients (`schema/operations/`) that do not fit this supergraph, each with why.
///
/// # Errors
/// No supergraph; operations that cannot be read.
pub fn broken_operations(supergraph: &str) -> Result<Vec<String>> {
    let supergraph = Supergraph::parse(supergraph)?;
    let mut broken = Vec::new();
    for entry in fs::read_dir(folder().join("operations"))? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let parsed = ExecutableDocument::parse_and_validate(supergraph.api_schema(), text, &path);
        if let Err(error) = parsed {
            broken.push(format!("{}: {}", path.display(), error.errors));
        }
    }
    Ok(broken)
}

/// Why a reader of today cannot read `old`, or a reader of then cannot read what is written today.
pub fn breaks(entry: &Entry, old: &Value) -> Option<String> {
    let schema = jsonschema::validator_for(&entry.schema).expect("a JSON Schema");
    if let Err(error) = schema.validate(old) {
        return Some(format!(
            "{} v{} as recorded is not read any more: {error}",
            entry.r#type, entry.version
        ));
    }
    let lost: Vec<&String> = old
        .as_object()?
        .keys()
        .filter(|name| entry.example.get(name.as_str()).is_none())
        .collect();
    (!lost.is_empty()).then(|| format!("{} v{} has lost {lost:?}", entry.r#type, entry.version))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON can be written") + "\n"
}

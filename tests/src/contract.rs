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
use baedal_composition::{Subgraph, compose, diagnostics};
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

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON can be written") + "\n"
}

//! Prints the figures of the plans of all cases as JSON: the planner's own, and the federated ones.
//! `cargo xtask bench plans` compares them with the last accepted ones.
#[path = "../tests/case_files.rs"]
mod case_files;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use baedal_composition::{Subgraph, compose};
use baedal_planner::{Access, Figures, Operation, Settings, Supergraph, plan};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What matters of an operation in `operations.yaml`.
#[derive(Deserialize)]
struct Asked {
    shows: String,
    query: String,
    #[serde(default)]
    variables: Value,
}

fn main() -> Result<()> {
    let mut figures = BTreeMap::new();
    planner_cases(&mut figures)?;
    federated_cases(&mut figures)?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}

fn planner_cases(out: &mut BTreeMap<String, Figures>) -> Result<()> {
    for name in case_files::folders() {
        let (_, supergraph) = case_files::case(&name);
        for path in case_files::operations(&case_files::cases().join(&name)) {
            let text = fs::read_to_string(&path)?;
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let found = figures(&supergraph, &text, &case_files::variables_of(&text));
            out.extend(found.map(|found| (format!("planner/{name}/{stem}"), found)));
        }
    }
    Ok(())
}

fn federated_cases(out: &mut BTreeMap<String, Figures>) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/federation/cases");
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        federated_case(&name, &entry.path(), out).with_context(|| name.clone())?;
    }
    Ok(())
}

fn federated_case(name: &str, folder: &Path, out: &mut BTreeMap<String, Figures>) -> Result<()> {
    let mut subgraphs = Vec::new();
    for path in fs::read_dir(folder)?.flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|end| end == "graphql") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            subgraphs.push(Subgraph {
                name: name.clone().into_owned(),
                url: format!("http://{name}"),
                sdl: fs::read_to_string(&path)?,
            });
        }
    }
    subgraphs.sort_by(|a, b| a.name.cmp(&b.name));
    let sdl = match fs::read_to_string(folder.join("supergraph.graphql")) {
        Ok(sdl) => sdl,
        Err(_) => match compose(&subgraphs) {
            Ok(composed) => composed.supergraph_sdl,
            // The case is about that.
            Err(_) => return Ok(()),
        },
    };
    let supergraph = Supergraph::parse(&sdl)?;
    let text = fs::read_to_string(folder.join("operations.yaml"))?;
    for asked in serde_norway::from_str::<Vec<Asked>>(&text)? {
        let variables = asked.variables.as_object().cloned().unwrap_or_default();
        let found = figures(&supergraph, &asked.query, &variables);
        out.extend(found.map(|found| (format!("federation/{name}/{}", asked.shows), found)));
    }
    Ok(())
}

/// `None` where the case is about an operation that has no plan.
fn figures(supergraph: &Supergraph, text: &str, variables: &Map<String, Value>) -> Option<Figures> {
    let operation = Operation::parse(supergraph, text, None).ok()?;
    let coerced = operation.coerce_variables(supergraph, variables).ok()?;
    let access = Access::unrestricted();
    let plan = plan(supergraph, &operation, &coerced, &Settings::default(), &access);
    plan.ok().map(|plan| plan.figures())
}

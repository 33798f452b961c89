//! What the tests share: reading case folders and short views of results.

use baedal_composition::{Diagnostic, Subgraph, compose};
use std::path::{Path, PathBuf};

/// The folder of all cases.
pub fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the cases")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    folders.sort();
    folders
}

/// The subgraphs of one case, each named as its file.
pub fn subgraphs(folder: &Path) -> Vec<Subgraph> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a case")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            subgraph(
                &path.file_stem().expect("a file").to_string_lossy(),
                &std::fs::read_to_string(path).expect("SDL"),
            )
        })
        .collect()
}

pub fn subgraph(name: &str, sdl: &str) -> Subgraph {
    Subgraph {
        name: name.to_owned(),
        url: format!("http://{name}"),
        sdl: sdl.to_owned(),
    }
}

/// The supergraph without what is the same in all of them, and the hints; or the errors.
pub fn view(subgraphs: &[Subgraph]) -> String {
    match compose(subgraphs) {
        Ok(composed) => {
            let hints: Vec<String> = composed.hints.iter().map(line).collect();
            let mut text = own_part(&composed.supergraph_sdl);
            if !hints.is_empty() {
                text.push_str(&format!("\n# hints\n{}\n", hints.join("\n")));
            }
            text
        }
        Err(errors) => errors.iter().map(line).collect::<Vec<_>>().join("\n"),
    }
}

fn line(diagnostic: &Diagnostic) -> String {
    let place = match (&diagnostic.subgraph, diagnostic.line, diagnostic.column) {
        (Some(subgraph), Some(line), Some(column)) => format!("{subgraph}:{line}:{column}"),
        (Some(subgraph), ..) => subgraph.clone(),
        _ => "-".to_owned(),
    };
    format!("{} {place} {}", diagnostic.code, diagnostic.message)
}

/// Leaves out the definitions of the join and link specifications.
fn own_part(sdl: &str) -> String {
    let machinery = [
        "directive @join__",
        "directive @link",
        "scalar join__FieldSet",
        "scalar link__Import",
        "enum link__Purpose",
    ];
    let mut kept: Vec<&str> = Vec::new();
    let mut skipping = false;
    for line in sdl.lines() {
        if !line.starts_with([' ', '}']) && !line.is_empty() {
            skipping = machinery.iter().any(|start| line.starts_with(start));
        }
        let blank_after_blank = line.is_empty() && kept.last().is_none_or(|last| last.is_empty());
        if !skipping && !blank_after_blank {
            kept.push(line);
        }
    }
    kept.join("\n")
}

//! Composes all `*.graphql` files of a folder: `cargo run -p baedal-composition --example compose_dir -- FOLDER`.

use baedal_composition::{Subgraph, compose, diagnostics};

fn main() {
    let folder = std::env::args().nth(1).expect("the first argument is a folder");
    let entries = std::fs::read_dir(&folder).expect("the folder can be read");
    let paths = entries.flatten().map(|entry| entry.path());
    let subgraphs: Vec<Subgraph> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "graphql"))
        .map(|path| Subgraph {
            name: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            url: String::new(),
            sdl: std::fs::read_to_string(&path).expect("the file can be read"),
        })
        .collect();
    match compose(&subgraphs) {
        Ok(composed) => {
            println!("{}", composed.supergraph_sdl);
            eprint!("{}", diagnostics::render(&composed.hints, &subgraphs));
        }
        Err(errors) => {
            eprint!("{}", diagnostics::render(&errors, &subgraphs));
            std::process::exit(1);
        }
    }
}

//! `baedal-router compose`: supergraph SDL on stdout and exit 0, or a JSON array of errors on stdout and exit 1.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use baedal_composition::{Diagnostic, Subgraph, diagnostics};

use super::ComposeArgs;
use super::gather::gather;
use super::named::check_names;

pub const HELP: &str = "\
Prints the supergraph (join specification) and exits with 0, or prints all errors as a JSON array of
  {\"code\", \"message\", \"subgraph\", \"line\", \"column\"}
and exits with 1. On a terminal the errors are shown on stderr as well, with the line of SDL and what to do.
A URL is asked for `{ _service { sdl } }` and becomes the subgraph's address in the supergraph;
an SDL file has no address: give it as `subgraphs.NAME.url` in the configuration when the supergraph is served.

  baedal-router compose --subgraph products=http://127.0.0.1:4101/graphql --subgraph reviews=reviews.graphql

A variant of the graph for partners, without what is tagged internal (`contract` in the configuration does the same):
  baedal-router compose --subgraph products=products.graphql --include-tag partner --exclude-tag internal";

/// Composes and prints.
pub async fn run(args: ComposeArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    check_names(&args.subgraphs)?;
    let (subgraphs, composed) = match gather(&args.subgraphs).await {
        Ok(subgraphs) => {
            let composed = compose(&subgraphs, &args);
            (subgraphs, composed)
        }
        Err(errors) => (Vec::new(), Err(errors)),
    };
    let mut out = std::io::stdout().lock();
    match composed {
        Ok(supergraph) => {
            writeln!(out, "{}", supergraph.trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Err(errors) => {
            if std::io::stderr().is_terminal() {
                eprint!("{}", diagnostics::render(&errors, &subgraphs));
            }
            writeln!(out, "{}", serde_json::to_string_pretty(&errors)?)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn compose(subgraphs: &[Subgraph], args: &ComposeArgs) -> Result<String, Vec<Diagnostic>> {
    let composed = baedal_composition::compose(subgraphs)?;
    for hint in &composed.hints {
        eprintln!("hint: {}: {}", hint.code, hint.message);
    }
    args.tags
        .variant(composed.supergraph_sdl)
        .map_err(|error| vec![error])
}

//! `baedal-router compose`: supergraph SDL on stdout and exit 0, or a JSON array of errors on stdout and exit 1.

use std::io::Write;
use std::process::ExitCode;

use baedal_composition::{Diagnostic, Subgraph};
use futures_util::future::join_all;

use super::ComposeArgs;
use super::named::{Named, Place, check_names};
use crate::config::TrafficConfig;
use crate::subgraphs::Client;
use crate::supergraph::fetch_sdl;

pub const HELP: &str = "\
Prints the supergraph (join specification) and exits with 0, or prints all errors as a JSON array of
  {\"code\", \"message\", \"subgraph\", \"line\", \"column\"}
and exits with 1. A URL is asked for `{ _service { sdl } }` and becomes the subgraph's address in the supergraph;
an SDL file has no address: give it as `subgraphs.NAME.url` in the configuration when the supergraph is served.

  baedal-router compose --subgraph products=http://127.0.0.1:4101/graphql --subgraph reviews=reviews.graphql";

/// Composes and prints.
pub async fn run(args: ComposeArgs) -> Result<ExitCode, Box<dyn std::error::Error>> {
    check_names(&args.subgraphs)?;
    let client = Client::new(&TrafficConfig::default());
    let composed = match gather(&client, &args.subgraphs).await {
        Ok(subgraphs) => baedal_composition::compose(&subgraphs),
        Err(errors) => Err(errors),
    };
    let mut out = std::io::stdout().lock();
    match composed {
        Ok(composed) => {
            composed
                .hints
                .iter()
                .for_each(|hint| eprintln!("hint: {}: {}", hint.code, hint.message));
            writeln!(out, "{}", composed.supergraph_sdl.trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Err(errors) => {
            writeln!(out, "{}", serde_json::to_string_pretty(&errors)?)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Every SDL, or an error for each that cannot be had.
async fn gather(client: &Client, named: &[Named]) -> Result<Vec<Subgraph>, Vec<Diagnostic>> {
    let (mut subgraphs, mut errors) = (Vec::new(), Vec::new());
    for outcome in join_all(named.iter().map(|subgraph| read(client, subgraph))).await {
        match outcome {
            Ok(subgraph) => subgraphs.push(subgraph),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(subgraphs)
    } else {
        Err(errors)
    }
}

async fn read(client: &Client, named: &Named) -> Result<Subgraph, Diagnostic> {
    let name = named.name.clone();
    match &named.place {
        Place::Live(url) => {
            let fetched = match url.as_str().parse() {
                Ok(uri) => fetch_sdl(client, &uri).await,
                Err(error) => Err(format!("`{url}` is not a valid address: {error}")),
            };
            let sdl = fetched
                .map_err(|why| unavailable(named, "SUBGRAPH_UNAVAILABLE", &format!("{url}: {why}")))?;
            Ok(Subgraph {
                name,
                url: url.to_string(),
                sdl,
            })
        }
        Place::File(file) => match std::fs::read_to_string(file) {
            Ok(sdl) => Ok(Subgraph {
                name,
                url: String::new(),
                sdl,
            }),
            Err(error) => Err(unavailable(
                named,
                "SDL_FILE_UNREADABLE",
                &format!("cannot read {}: {error}", file.display()),
            )),
        },
    }
}

fn unavailable(named: &Named, code: &str, message: &str) -> Diagnostic {
    let subgraph = Some(named.name.clone());
    Diagnostic {
        code: code.to_owned(),
        message: message.to_owned(),
        subgraph,
        line: None,
        column: None,
    }
}

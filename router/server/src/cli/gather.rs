//! The SDL of the subgraphs that are named on the command line.

use baedal_composition::{Diagnostic, Subgraph};
use futures_util::future::join_all;

use super::named::{Named, Place};
use crate::config::TrafficConfig;
use crate::subgraphs::Client;
use crate::supergraph::fetch_sdl;

/// Every SDL, or an error for each that cannot be had.
pub async fn gather(named: &[Named]) -> Result<Vec<Subgraph>, Vec<Diagnostic>> {
    let client = Client::new(&TrafficConfig::default());
    let (mut subgraphs, mut errors) = (Vec::new(), Vec::new());
    for outcome in join_all(named.iter().map(|subgraph| read(&client, subgraph))).await {
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

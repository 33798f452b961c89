//! Asks all subgraphs for their SDL at once.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use http::Uri;
use serde::Deserialize;

use super::{Absent, SdlPlace, SubgraphSource};
use crate::config::Config;
use crate::forward::Forwarded;
use crate::gateway::Gateway;
use crate::subgraphs::{Client, Place, Repeat, SubgraphError};

/// Longest time for one subgraph to tell its SDL.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Federation's question for the SDL of a subgraph.
const QUESTION: &[u8] = br#"{"query":"{ _service { sdl } }"}"#;

/// SDLs by name, of those that answered, and why the others did not.
pub async fn gather(
    gateway: &Gateway,
    config: &Config,
    sources: &[SubgraphSource],
) -> (HashMap<String, String>, Vec<Absent>) {
    let read = |source: &SubgraphSource| {
        let (name, place) = (source.name.clone(), source.place.clone());
        let asked = source.asked(config, &gateway.secrets);
        async move {
            let told = match asked {
                Ok(Some(place)) => ask(&gateway.client, &place).await,
                Ok(None) => read_file(&place).await,
                Err(why) => Err(why),
            };
            (name, told)
        }
    };
    let (mut found, mut absent) = (HashMap::new(), Vec::new());
    for (name, sdl) in join_all(sources.iter().map(read)).await {
        match sdl {
            Ok(sdl) => drop(found.insert(name, sdl)),
            Err(reason) => absent.push(Absent {
                subgraph: name,
                reason,
            }),
        }
    }
    (found, absent)
}

async fn read_file(place: &SdlPlace) -> Result<String, String> {
    let SdlPlace::File(file) = place else {
        return Err("its SDL is in no file".to_owned());
    };
    tokio::fs::read_to_string(file)
        .await
        .map_err(|error| format!("cannot read its SDL file {}: {error}", file.display()))
}

/// Asks the subgraph at `url` for its SDL.
pub async fn fetch_sdl(client: &Client, url: &Uri) -> Result<String, String> {
    ask(client, &Place::at(url.clone())).await
}

async fn ask(client: &Client, place: &Place) -> Result<String, String> {
    let forwarded = Forwarded::default();
    let asking = client.post(place, &forwarded, QUESTION, TIMEOUT, Repeat::Once);
    let asked = tokio::time::timeout(TIMEOUT, asking).await;
    let answer = asked.unwrap_or(Err(SubgraphError::Timeout(TIMEOUT)));
    let answer = answer.map_err(|error| error.to_string())?;
    let answer: SdlAnswer = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("its answer to `{{_service{{sdl}}}}` is not one: {error}"))?;
    if let Some(sdl) = answer
        .data
        .and_then(|data| data.service)
        .and_then(|service| service.sdl)
    {
        return Ok(sdl);
    }
    let first = answer
        .errors
        .into_iter()
        .flatten()
        .next()
        .map_or_else(String::new, |error| format!(": {}", error.message));
    Err(format!(
        "it does not answer `{{_service{{sdl}}}}`{first}; is it a Federation subgraph?"
    ))
}

#[derive(Deserialize)]
struct SdlAnswer {
    data: Option<SdlData>,
    errors: Option<Vec<SdlError>>,
}

#[derive(Deserialize)]
struct SdlData {
    #[serde(rename = "_service")]
    service: Option<SdlService>,
}

#[derive(Deserialize)]
struct SdlService {
    sdl: Option<String>,
}

#[derive(Deserialize)]
struct SdlError {
    message: String,
}

//! What the configuration names as the source of the supergraph.

use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use url::Url;

use crate::config::Config;
use crate::subgraphs::{Place, Ways};
use crate::tls::Secrets;

/// Longest time for a supergraph at a URL.
pub(super) const REMOTE_TIME: Duration = Duration::from_secs(30);

/// Where the supergraph comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A ready supergraph.
    File(PathBuf),
    /// A ready supergraph at a URL.
    Url(Url),
    /// Subgraphs to compose.
    Subgraphs(Vec<SubgraphSource>),
}

/// A subgraph to compose.
#[derive(Debug, Clone)]
pub struct SubgraphSource {
    /// Its name.
    pub name: String,
    /// Where calls go: its routing URL in the supergraph.
    pub url: String,
    /// Where its SDL is.
    pub place: SdlPlace,
}

impl SubgraphSource {
    /// Where it is asked for its SDL, if it is: called in the ways of `config`.
    pub fn asked(&self, config: &Config, secrets: &Secrets) -> Result<Option<Place>, String> {
        match &self.place {
            SdlPlace::File(_) => Ok(None),
            SdlPlace::Live(url) => {
                let ways = Ways::of(&self.name, config, secrets)?;
                Ok(Some(Place::by(url.clone(), ways)))
            }
        }
    }
}

/// Where an SDL is.
#[derive(Debug, Clone)]
pub enum SdlPlace {
    /// Told by the subgraph itself.
    Live(Uri),
    /// In a file.
    File(PathBuf),
}

impl Source {
    /// The source a (checked) configuration names.
    pub fn of(config: &Config) -> Source {
        if let Some(file) = &config.supergraph.file {
            return Source::File(file.clone());
        }
        if let Some(url) = &config.supergraph.url {
            return Source::Url(url.clone());
        }
        let sources = config.subgraphs.iter().filter_map(|(name, subgraph)| {
            let url = match &subgraph.url {
                Some(url) => url.to_string(),
                None if subgraph.r#virtual => format!("virtual:{name}"),
                None => return None,
            };
            let place = match &subgraph.sdl {
                Some(file) => SdlPlace::File(file.clone()),
                None => SdlPlace::Live(url.parse().ok()?),
            };
            Some(SubgraphSource {
                name: name.clone(),
                url,
                place,
            })
        });
        Source::Subgraphs(sources.collect())
    }

    /// Whether nothing but files is needed: then what is wrong at the start will not get better by waiting.
    pub fn is_local(&self) -> bool {
        match self {
            Source::File(_) => true,
            Source::Url(_) => false,
            Source::Subgraphs(sources) => sources
                .iter()
                .all(|source| matches!(source.place, SdlPlace::File(_))),
        }
    }
}

//! Where subgraphs are, by name; and why a supergraph cannot be served.

use std::collections::HashMap;

use baedal_planner::{SubgraphInfo, Supergraph};

use crate::config::Config;
use crate::subgraphs::{Endpoint, Ways};
use crate::supergraph::sdl::Unreadable;
use crate::tls::Secrets;
use crate::traffic::Traffic;

/// Why a supergraph cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The planner cannot read it.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It does not fit what `subscriptions.bound` says.
    #[error("{}", .0.join("; "))]
    Bound(Vec<String>),
    /// A subgraph in it has no usable address.
    #[error("subgraph '{subgraph}': {why}; set `subgraphs.{subgraph}.url` in the configuration")]
    Address {
        /// The subgraph.
        subgraph: String,
        /// What is wrong.
        why: String,
    },
    /// A subgraph in it cannot be called as the configuration says.
    #[error("{0}")]
    Ways(String),
}

/// Where each subgraph of a supergraph is.
pub fn of(
    supergraph: &Supergraph,
    config: &Config,
    traffic: &Traffic,
    secrets: &Secrets,
) -> Result<HashMap<String, Endpoint>, EngineError> {
    let endpoint = |subgraph: &SubgraphInfo| {
        let overrides = config.subgraphs.get(&subgraph.name);
        let ways = Ways::of(&subgraph.name, config, secrets).map_err(EngineError::Ways)?;
        Endpoint::new(&subgraph.name, &subgraph.url, overrides, ways, traffic)
            .map(|endpoint| (subgraph.name.clone(), endpoint))
            .map_err(|why| EngineError::Address {
                subgraph: subgraph.name.clone(),
                why,
            })
    };
    // Nobody serves a virtual one.
    let is_served = |subgraph: &&SubgraphInfo| {
        let overrides = config.subgraphs.get(&subgraph.name);
        !overrides.is_some_and(|subgraph| subgraph.r#virtual)
    };
    supergraph
        .subgraphs()
        .iter()
        .filter(is_served)
        .map(endpoint)
        .collect()
}

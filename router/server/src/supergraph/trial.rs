//! A graph that is tried and not served.

use std::sync::Arc;

use super::build::engines;
use super::{Source, SupergraphProblem, gather, sources};
use crate::config::Config;
use crate::front::Front;
use crate::gateway::Gateway;
use crate::remote::Remote;
use crate::tls::Secrets;

/// Whether a gateway with this (checked) configuration could serve its graph: every subgraph tells its SDL, all compose,
/// and the supergraph can be planned for.
pub async fn trial(config: &Config) -> Result<(), SupergraphProblem> {
    let secrets = Secrets::load(config).map_err(|error| SupergraphProblem::Engine(error.to_string()))?;
    let front = Front::new(Gateway::new(config.clone(), Arc::new(secrets)));
    let gateway = front.main();
    let supergraph = match Source::of(config) {
        Source::File(file) => {
            tokio::fs::read_to_string(&file)
                .await
                .map_err(|error| SupergraphProblem::Unreadable {
                    file: file.display().to_string(),
                    why: error.to_string(),
                })?
        }
        Source::Url(url) => {
            let mut remote = Remote::new(url, &gateway.client, sources::REMOTE_TIME);
            let looked = remote.look().await;
            let unreadable = |why| SupergraphProblem::Unreadable {
                file: remote.shown(),
                why,
            };
            looked.map_err(unreadable)?.unwrap_or_default()
        }
        Source::Subgraphs(sources) => {
            let (mut found, absent) = gather::gather(&gateway, config, &sources).await;
            if !absent.is_empty() {
                return Err(SupergraphProblem::Absent(absent));
            }
            let subgraph = |source: super::SubgraphSource| baedal_composition::Subgraph {
                sdl: found.remove(&source.name).unwrap_or_default(),
                name: source.name,
                url: source.url,
            };
            let subgraphs: Vec<_> = sources.into_iter().map(subgraph).collect();
            let composed = baedal_composition::compose(&subgraphs).map_err(SupergraphProblem::Composition)?;
            composed.supergraph_sdl
        }
    };
    engines(&supergraph, &Arc::clone(&front.shown())).map(drop)
}

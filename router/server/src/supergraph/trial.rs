//! A graph that is tried and not served.

use super::keeper::engine;
use super::{Source, SupergraphProblem, gather};
use crate::config::Config;
use crate::gateway::Gateway;

/// Whether a gateway with this (checked) configuration could serve its graph: every subgraph tells its SDL, all compose,
/// and the supergraph can be planned for.
pub async fn trial(config: &Config) -> Result<(), SupergraphProblem> {
    let gateway = Gateway::new(config.clone());
    let supergraph = match Source::of(config) {
        Source::File(file) => {
            tokio::fs::read_to_string(&file)
                .await
                .map_err(|error| SupergraphProblem::Unreadable {
                    file: file.display().to_string(),
                    why: error.to_string(),
                })?
        }
        Source::Subgraphs(sources) => {
            let (mut found, absent) = gather::gather(&gateway.client, &sources).await;
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
    engine(supergraph, &gateway, config).map(drop)
}

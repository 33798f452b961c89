//! From the text of a supergraph to engines: one for the graph, one for each contract of it.

use std::sync::Arc;
use std::time::Instant;

use baedal_composition::{Composed, Diagnostic, Subgraph, contract, diagnostics};

use super::SupergraphProblem;
use crate::config::Config;
use crate::engine::{Engine, Warmed};
use crate::front::Shown;
use crate::gateway::Gateway;

/// Composes; errors come with what a developer is shown of them.
pub fn compose(subgraphs: &[Subgraph]) -> Result<Composed, (Vec<Diagnostic>, Arc<str>)> {
    baedal_composition::compose(subgraphs).map_err(|errors| {
        let shown = diagnostics::render(&errors, subgraphs);
        (errors, shown.into())
    })
}

/// An engine for each gateway of `shown`, in order. Each knows already what the one before it was asked; all of them
/// together have the time of `supergraph.warm_up` for that.
pub fn engines(supergraph: &str, shown: &Shown) -> Result<Vec<(Engine, Warmed)>, SupergraphProblem> {
    let until = Instant::now() + shown.main.config.supergraph.warm_up;
    let built: Result<Vec<Engine>, _> = shown
        .gateways()
        .map(|gateway| engine(supergraph, gateway, &gateway.config))
        .collect();
    let warmed = built?.into_iter().zip(shown.gateways()).map(|(engine, gateway)| {
        let left = until.saturating_duration_since(Instant::now());
        let warmed = match gateway.engine() {
            Some(before) => engine.warm(&before, left),
            None => Warmed::default(),
        };
        (engine, warmed)
    });
    Ok(warmed.collect())
}

/// The engine of a supergraph, or of the variant that the configured contract shows.
pub fn engine(
    supergraph: &str,
    gateway: &Arc<Gateway>,
    config: &Config,
) -> Result<Engine, SupergraphProblem> {
    let refused = |why: String| match &config.serving {
        Some(name) => SupergraphProblem::Engine(format!("contract '{name}': {why}")),
        None => SupergraphProblem::Engine(why),
    };
    let built = |text: &str| {
        Engine::new(
            text,
            config,
            &gateway.traffic,
            &gateway.observer,
            &gateway.secrets,
        )
        .map_err(|error| refused(error.to_string()))
    };
    let Some(contracts) = &config.contract else {
        return built(supergraph);
    };
    let contracted =
        contract::apply(supergraph, &contracts.contract()).map_err(|error| refused(error.message))?;
    for tag in &contracted.unknown_tags {
        tracing::warn!(
            tag,
            contract = config.serving,
            "nothing in the supergraph bears this tag of the contract: is it spelt right?"
        );
    }
    built(&contracted.supergraph_sdl)
}

/// Runs work that takes long off the threads that serve requests. A panic in it changes nothing that is served.
pub async fn heavy<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SupergraphProblem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|stopped| SupergraphProblem::Engine(format!("internal failure: {stopped}")))
}

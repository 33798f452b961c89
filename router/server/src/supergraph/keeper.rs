//! Keeps the served supergraph up to date: look, compose, swap. A change that does not compose changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use baedal_composition::{Composed, Diagnostic, Subgraph, contract, diagnostics};

use super::follow::{Followed, News};
use super::problem::{SupergraphProblem, line};
use super::{Absent, Origin, Source, SubgraphSource, disk, gather};
use crate::bound;
use crate::config::Config;
use crate::engine::{Engine, Warmed};
use crate::gateway::Gateway;

/// First pause after a look that did not find everything; it doubles from look to look.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A look that takes longer hangs.
const LONGEST_LOOK: Duration = Duration::from_secs(120);

/// Looks after the supergraph of one gateway.
pub struct Keeper {
    gateway: Arc<Gateway>,
    /// As it was started, with the sources of the graph that its file names now.
    config: Arc<Config>,
    followed: Followed,
    source: Source,
    /// The newest SDL of each subgraph that ever told one.
    known: BTreeMap<String, String>,
    /// What the last attempt was made of.
    attempted: Option<Attempt>,
    /// The supergraph that is served.
    served: Option<String>,
    /// Why the last attempt was refused; it stays true until the next one.
    refused: Vec<String>,
    /// Why the configuration file is not followed, while it is not.
    unusable: Vec<String>,
}

/// What a look without a problem brought.
enum Look {
    /// Nothing to attempt.
    Unchanged,
    /// Another supergraph, which is served.
    Served,
}

#[derive(PartialEq)]
enum Attempt {
    File(String),
    Subgraphs(Vec<Subgraph>),
}

impl Keeper {
    /// A keeper that has not looked yet.
    pub fn new(gateway: Arc<Gateway>) -> Keeper {
        let source = Source::of(&gateway.config);
        let config = Arc::new(gateway.config.clone());
        Keeper {
            gateway,
            followed: Followed::of(&config),
            config,
            source,
            known: BTreeMap::new(),
            attempted: None,
            served: None,
            refused: Vec::new(),
            unusable: Vec::new(),
        }
    }

    /// The look before anything is served. When only files are needed, a failure is final; live subgraphs may come
    /// later, and what was kept on disk serves until then.
    pub async fn first_look(&mut self) -> Result<(), SupergraphProblem> {
        let kept = self.read_kept();
        if let Some(kept) = &kept {
            self.known = kept.subgraphs.clone();
        }
        let outcome = self.look().await;
        if self.source.is_local() && !self.config.patient {
            let absent = self.gateway.status().absent.clone();
            return if absent.is_empty() {
                outcome
            } else {
                Err(SupergraphProblem::Absent(absent))
            };
        }
        if let (None, Some(kept)) = (self.gateway.engine(), kept) {
            self.serve(kept.supergraph, Origin::Kept)
                .await
                .unwrap_or_else(|problem| {
                    tracing::error!("the supergraph kept on disk cannot be used: {problem}");
                });
        }
        Ok(())
    }

    /// Looks again and again until the gateway stops.
    pub async fn watch(mut self) {
        let closing = self.gateway.closing.clone();
        let usual = self.gateway.config.supergraph.poll_interval;
        let mut pause = FIRST_PAUSE;
        let limit = LONGEST_LOOK + usual;
        let pulse = self.gateway.observer.vitals.pulse("the supergraph keeper", limit);
        loop {
            pulse.beat();
            let whole = self.gateway.status().absent.is_empty();
            let wait = if whole { usual } else { pause.min(usual) };
            pause = if whole {
                FIRST_PAUSE
            } else {
                (pause * 2).min(usual)
            };
            tokio::select! {
                () = closing.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            // What went wrong is logged and in the status.
            let _ = self.look().await;
        }
    }

    async fn look(&mut self) -> Result<(), SupergraphProblem> {
        self.follow();
        let outcome = match self.source.clone() {
            Source::File(file) => self.look_at_file(&file).await,
            Source::Subgraphs(sources) => self.look_at_subgraphs(&sources).await,
        };
        self.tell(&outcome);
        outcome.map(drop)
    }

    /// Takes over what the configuration file says of the graph's sources now.
    fn follow(&mut self) {
        match self.followed.look(&self.config) {
            News::None => {}
            News::Same => self.unusable.clear(),
            News::Unusable(why) => {
                let told = vec![format!("the configuration cannot be used: {why}")];
                if self.unusable != told {
                    tracing::error!("the configuration file is not followed: {why}");
                }
                self.unusable = told;
            }
            News::Changed(config) => {
                let names: Vec<&String> = config.subgraphs.keys().collect();
                tracing::info!(subgraphs = ?names, "the configuration file names other sources of the graph");
                self.source = Source::of(&config);
                self.config = config;
                self.unusable.clear();
                // Settings of a subgraph may have changed that are not in the supergraph.
                (self.attempted, self.served) = (None, None);
            }
        }
    }

    /// A refusal is told until another attempt succeeds, a file that cannot be read until it can: neither hides or
    /// outlives the other.
    fn tell(&mut self, outcome: &Result<Look, SupergraphProblem>) {
        let mut told = Vec::new();
        match outcome {
            Ok(Look::Unchanged) => {}
            Ok(Look::Served) => {
                self.reloaded("served");
                self.refused.clear();
                self.gateway.update_status(|status| status.shown = None);
            }
            Err(problem @ SupergraphProblem::Unreadable { .. }) => told = problem.reasons(),
            Err(problem) => {
                self.reloaded("refused");
                self.refused = problem.reasons();
            }
        }
        told.extend_from_slice(&self.refused);
        told.extend_from_slice(&self.unusable);
        let before = self.gateway.status().refused;
        match outcome {
            Err(problem) if told != before => tracing::error!("the supergraph is unchanged: {problem}"),
            Ok(_) if told.is_empty() && !before.is_empty() => {
                tracing::info!("the supergraph is up to date again")
            }
            _ => {}
        }
        self.gateway.update_status(|status| status.refused = told);
    }

    fn reloaded(&self, result: &str) {
        self.gateway.observer.reloads.with(&[result]).inc();
    }

    async fn look_at_file(&mut self, file: &Path) -> Result<Look, SupergraphProblem> {
        let text = tokio::fs::read_to_string(file)
            .await
            .map_err(|error| SupergraphProblem::Unreadable {
                file: file.display().to_string(),
                why: error.to_string(),
            })?;
        let attempt = Attempt::File(text.clone());
        if self.attempted.as_ref() == Some(&attempt) {
            return Ok(Look::Unchanged);
        }
        self.attempted = Some(attempt);
        self.serve(text, Origin::File).await?;
        Ok(Look::Served)
    }

    async fn look_at_subgraphs(&mut self, sources: &[SubgraphSource]) -> Result<Look, SupergraphProblem> {
        let (found, absent) = gather::gather(&self.gateway.client, sources).await;
        self.note_absent(absent);
        self.known.extend(found);
        let subgraphs = self.known_subgraphs(sources);
        let attempt = Attempt::Subgraphs(subgraphs.clone());
        if subgraphs.is_empty() || self.attempted.as_ref() == Some(&attempt) {
            return Ok(Look::Unchanged);
        }
        self.attempted = Some(attempt);
        bound::check_virtual(&self.config, &subgraphs)
            .map_err(|errors| SupergraphProblem::Engine(errors.join("; ")))?;
        let composed = heavy(move || compose(&subgraphs)).await?;
        let composed = composed.map_err(|(errors, shown)| {
            self.gateway.update_status(|status| status.shown = Some(shown));
            SupergraphProblem::Composition(errors)
        })?;
        for hint in &composed.hints {
            tracing::info!("composition hint: {}", line(hint));
        }
        self.serve(composed.supergraph_sdl.clone(), Origin::Composed)
            .await?;
        self.keep(composed.supergraph_sdl);
        Ok(Look::Served)
    }

    fn known_subgraphs(&self, sources: &[SubgraphSource]) -> Vec<Subgraph> {
        let known = |source: &SubgraphSource| {
            let sdl = self.known.get(&source.name)?.clone();
            Some(Subgraph {
                name: source.name.clone(),
                url: source.url.clone(),
                sdl,
            })
        };
        sources.iter().filter_map(known).collect()
    }

    /// Logs who went and who came back, once.
    fn note_absent(&self, absent: Vec<Absent>) {
        let before: HashMap<String, String> = self
            .gateway
            .status()
            .absent
            .iter()
            .map(|absent| (absent.subgraph.clone(), absent.reason.clone()))
            .collect();
        for absent in &absent {
            if !before.contains_key(&absent.subgraph) {
                let known = self.known.contains_key(&absent.subgraph);
                tracing::warn!(
                    subgraph = absent.subgraph,
                    reason = absent.reason,
                    served_with_last_known_schema = known,
                    "a subgraph does not tell its SDL; will ask again"
                );
            }
        }
        for name in before
            .keys()
            .filter(|name| !absent.iter().any(|absent| absent.subgraph == **name))
        {
            tracing::info!(subgraph = name, "the subgraph tells its SDL again");
        }
        self.gateway.update_status(|status| status.absent = absent);
    }

    /// Swaps it in, with what was asked of the one before already planned. One that is served already is no news.
    async fn serve(&mut self, supergraph: String, origin: Origin) -> Result<(), SupergraphProblem> {
        if self.served.as_ref() != Some(&supergraph) {
            let (gateway, config) = (Arc::clone(&self.gateway), Arc::clone(&self.config));
            let text = supergraph.clone();
            let (engine, warmed) = heavy(move || prepared(text, &gateway, &config)).await??;
            tracing::info!(
                subgraphs = engine.endpoints().len(),
                ?origin,
                ?warmed,
                "serving a new supergraph"
            );
            self.gateway.warn_of_rights(&engine);
            self.gateway.swap(engine);
            self.served = Some(supergraph);
        }
        self.gateway.update_status(|status| status.origin = Some(origin));
        Ok(())
    }

    fn read_kept(&self) -> Option<disk::Kept> {
        let folder = self.gateway.config.supergraph.state_dir.as_deref()?;
        disk::read(folder).unwrap_or_else(|error| {
            tracing::error!("{error}; it will be written anew");
            None
        })
    }

    fn keep(&self, supergraph: String) {
        let Some(folder) = &self.gateway.config.supergraph.state_dir else {
            return;
        };
        let kept = disk::Kept {
            supergraph,
            subgraphs: self.known.clone(),
        };
        if let Err(error) = disk::write(folder, &kept) {
            tracing::error!("{error}; a start while subgraphs are down will lack this supergraph");
        }
    }
}

/// Composes; errors come with what a developer is shown of them.
fn compose(subgraphs: &[Subgraph]) -> Result<Composed, (Vec<Diagnostic>, Arc<str>)> {
    baedal_composition::compose(subgraphs).map_err(|errors| {
        let shown = diagnostics::render(&errors, subgraphs);
        (errors, shown.into())
    })
}

/// The engine of a supergraph, which knows already what the one before it was asked.
fn prepared(
    supergraph: String,
    gateway: &Gateway,
    config: &Config,
) -> Result<(Engine, Warmed), SupergraphProblem> {
    let engine = engine(supergraph, gateway, config)?;
    let warmed = match gateway.engine() {
        Some(before) => engine.warm(&before, config.supergraph.warm_up),
        None => Warmed::default(),
    };
    Ok((engine, warmed))
}

/// The engine of a supergraph, or of the variant that the configured contract shows.
pub(super) fn engine(
    supergraph: String,
    gateway: &Gateway,
    config: &Config,
) -> Result<Engine, SupergraphProblem> {
    let variant = match &config.contract {
        None => supergraph,
        Some(contracts) => {
            let contracted = contract::apply(&supergraph, &contracts.contract())
                .map_err(|error| SupergraphProblem::Engine(error.message))?;
            for tag in &contracted.unknown_tags {
                tracing::warn!(
                    tag,
                    "nothing in the supergraph bears this tag of the contract: is it spelt right?"
                );
            }
            contracted.supergraph_sdl
        }
    };
    Engine::new(&variant, config, &gateway.traffic, &gateway.observer)
        .map_err(|error| SupergraphProblem::Engine(error.to_string()))
}

/// Runs work that takes long off the threads that serve requests. A panic in it changes nothing that is served.
async fn heavy<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, SupergraphProblem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|stopped| SupergraphProblem::Engine(format!("internal failure: {stopped}")))
}

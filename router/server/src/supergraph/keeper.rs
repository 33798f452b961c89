//! Keeps what is served up to date: the supergraph, and the settings it is served with. Look, compose, build, swap. What
//! cannot be served changes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use baedal_composition::Subgraph;

use super::absent::{self, Policy};
use super::build::{compose, engines, heavy};
use super::follow::{Followed, News};
use super::problem::line;
use super::{Origin, Source, SubgraphSource, SupergraphProblem, disk, gather, sources};
use crate::bound;
use crate::config::Config;
use crate::front::{Front, Shown};
use crate::gateway::Gateway;
use crate::remote::Remote;

/// Looks after what one gateway serves.
pub struct Keeper {
    front: Arc<Front>,
    /// For what all settings share: connections, counters, status.
    pub(super) gateway: Arc<Gateway>,
    /// What is to be served: the newest configuration that can be read.
    pub(super) config: Arc<Config>,
    followed: Followed,
    source: Source,
    remote: Option<Remote>,
    /// The newest SDL of each subgraph that ever told one.
    known: BTreeMap<String, String>,
    /// What the last attempt was made of.
    attempted: Option<Attempt>,
    /// The supergraph that is served.
    served: Option<String>,
    /// Why the last attempt was refused; it stays true until the next one.
    refused: Vec<String>,
    /// Why the configuration files are not followed, while they are not.
    unusable: Vec<String>,
}

/// What a look without a problem brought.
enum Look {
    /// Nothing to attempt.
    Unchanged,
    /// Another supergraph, or other settings, are served.
    Served,
}

#[derive(PartialEq)]
enum Attempt {
    Text(String),
    Subgraphs(Vec<Subgraph>),
}

impl Keeper {
    /// A keeper that has not looked yet.
    pub fn new(front: Arc<Front>) -> Keeper {
        let gateway = front.main();
        let config = Arc::new(gateway.config.clone());
        Keeper {
            front,
            followed: Followed::of(&config),
            source: Source::of(&config),
            remote: None,
            config,
            gateway,
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

    /// Whether every subgraph was there at the last look.
    pub(super) fn is_whole(&self) -> bool {
        self.gateway.status().absent.is_empty()
    }

    /// Looks whether there is anything new, and serves it.
    pub(super) async fn look(&mut self) -> Result<(), SupergraphProblem> {
        self.follow();
        let outcome = match self.source.clone() {
            Source::File(file) => self.look_at_file(&file).await,
            Source::Url(url) => self.look_at_url(url).await,
            Source::Subgraphs(sources) => self.look_at_subgraphs(&sources).await,
        };
        self.tell(&outcome);
        outcome.map(drop)
    }

    /// Whether the configuration files say something new; what, is looked at with the rest.
    pub(super) fn has_news(&self) -> bool {
        self.followed.has_changed()
    }

    /// Serves with another configuration, which is good in itself. If it cannot be served, all stays as it is.
    pub(super) async fn change(&mut self, config: Config) -> Result<(), SupergraphProblem> {
        let (before, source) = (Arc::clone(&self.config), self.source.clone());
        let made = (self.attempted.take(), self.served.take(), self.remote.take());
        let told = (self.refused.clone(), self.gateway.status());
        self.want(Arc::new(config));
        let changed = self.look().await;
        if changed.is_err() {
            (self.config, self.source) = (before, source);
            (self.attempted, self.served, self.remote) = made;
            self.refused = told.0;
            self.gateway.update_status(|status| *status = told.1);
        }
        changed
    }

    fn want(&mut self, config: Arc<Config>) {
        self.source = Source::of(&config);
        self.config = config;
        // Settings may have changed that are not in the supergraph.
        (self.attempted, self.served, self.remote) = (None, None, None);
    }

    /// Takes over what the configuration files say now.
    fn follow(&mut self) {
        match self.followed.look(&self.config) {
            News::None => {}
            News::Same => self.unusable.clear(),
            News::Unusable(why) => {
                let told = vec![format!("the configuration cannot be used: {why}")];
                if self.unusable != told {
                    tracing::error!("the changed configuration is refused, the one before holds: {why}");
                    self.count_configuration("refused");
                }
                self.unusable = told;
            }
            News::Changed(config) => {
                self.want(config);
                self.unusable.clear();
            }
        }
    }

    fn count_configuration(&self, result: &str) {
        self.gateway.observer.config_reloads.with(&[result]).inc();
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
            Err(problem @ (SupergraphProblem::Unreadable { .. } | SupergraphProblem::Absent(_))) => {
                told = problem.reasons();
            }
            Err(problem) => {
                self.reloaded("refused");
                if self.front.shown().main.config != *self.config {
                    self.count_configuration("refused");
                }
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
        self.attempt_text(text, Origin::File).await
    }

    async fn look_at_url(&mut self, url: url::Url) -> Result<Look, SupergraphProblem> {
        let client = &self.gateway.client;
        let remote = self
            .remote
            .get_or_insert_with(|| Remote::new(url, client, sources::REMOTE_TIME));
        match remote.look().await {
            Ok(Some(text)) => {
                let look = self.attempt_text(text.clone(), Origin::Url).await?;
                self.keep(text);
                Ok(look)
            }
            Ok(None) => Ok(Look::Unchanged),
            Err(why) => Err(SupergraphProblem::Unreadable {
                file: remote.shown(),
                why,
            }),
        }
    }

    async fn attempt_text(&mut self, text: String, origin: Origin) -> Result<Look, SupergraphProblem> {
        let attempt = Attempt::Text(text.clone());
        if self.attempted.as_ref() == Some(&attempt) {
            return Ok(Look::Unchanged);
        }
        self.attempted = Some(attempt);
        self.serve(text, origin).await?;
        Ok(Look::Served)
    }

    async fn look_at_subgraphs(&mut self, sources: &[SubgraphSource]) -> Result<Look, SupergraphProblem> {
        let (found, absent) = gather::gather(&self.gateway, &self.config, sources).await;
        absent::note(&self.gateway, &self.known, &absent);
        self.known.extend(found);
        let subgraphs = self.known_subgraphs(sources);
        let refuses = self.config.supergraph.absent == Policy::Refuse;
        if refuses && subgraphs.len() < sources.len() {
            return Err(SupergraphProblem::Absent(absent));
        }
        if subgraphs.is_empty() {
            return Ok(self.settle().await);
        }
        let attempt = Attempt::Subgraphs(subgraphs.clone());
        if self.attempted.as_ref() == Some(&attempt) {
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

    /// Other settings, while there is no supergraph to serve with them.
    async fn settle(&mut self) -> Look {
        if self.front.shown().main.config == *self.config {
            return Look::Unchanged;
        }
        let next = self.next().await;
        self.show(next);
        Look::Unchanged
    }

    /// What is to be shown: with other settings, if there are.
    async fn next(&self) -> Arc<Shown> {
        let shown = Arc::clone(&self.front.shown());
        if shown.main.config == *self.config {
            return shown;
        }
        let next = shown.changed(&self.config);
        if !Arc::ptr_eq(&shown.main.identity, &next.main.identity) {
            next.main.identity.warm_up().await;
        }
        Arc::new(next)
    }

    /// Puts it in its place, if it is another.
    fn show(&self, next: Arc<Shown>) {
        let shown = Arc::clone(&self.front.shown());
        if Arc::ptr_eq(&shown, &next) {
            return;
        }
        let restart = shown.main.config.needs_restart(&next.main.config);
        let gone = |gateway: &&Arc<Gateway>| {
            !next
                .contracts
                .iter()
                .any(|next| next.config.serves_as(&gateway.config))
        };
        shown
            .contracts
            .iter()
            .filter(gone)
            .for_each(|gateway| gateway.withdraw());
        self.front.show(next);
        self.count_configuration("taken");
        match restart.is_empty() {
            true => tracing::info!("the configuration is taken over"),
            false => tracing::warn!(
                ?restart,
                "the configuration is taken over, but for these keys, whose change needs a restart"
            ),
        }
    }

    /// Swaps it in, with what was asked of the one before already planned. One that is served already is no news.
    async fn serve(&mut self, supergraph: String, origin: Origin) -> Result<(), SupergraphProblem> {
        if self.served.as_ref() != Some(&supergraph) {
            let next = self.next().await;
            let (text, shown) = (supergraph.clone(), Arc::clone(&next));
            let built = heavy(move || engines(&text, &shown)).await??;
            let gateways: Vec<_> = next.gateways().cloned().collect();
            for (gateway, (engine, warmed)) in gateways.iter().zip(built) {
                tracing::info!(
                    subgraphs = engine.endpoints().len(),
                    contract = gateway.config.serving,
                    ?origin,
                    ?warmed,
                    "serving a new supergraph"
                );
                gateway.warn_of_rights(&engine);
                gateway.swap(engine);
            }
            self.show(next);
            self.served = Some(supergraph);
        }
        self.gateway.update_status(|status| status.origin = Some(origin));
        Ok(())
    }

    fn read_kept(&self) -> Option<disk::Kept> {
        let folder = self.config.supergraph.state_dir.as_deref()?;
        disk::read(folder).unwrap_or_else(|error| {
            tracing::error!("{error}; it will be written anew");
            None
        })
    }

    fn keep(&self, supergraph: String) {
        let Some(folder) = &self.config.supergraph.state_dir else {
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

//! What a developer is told while the graph changes: each thing once.

use std::sync::Arc;

use baedal_composition::compare::compare;

use super::super::check::told;
use crate::Running;
use crate::engine::Engine;
use crate::supergraph::{Absent, Status};

/// What was told so far.
#[derive(Default)]
pub struct News {
    served: Option<Arc<Engine>>,
    absent: Vec<Absent>,
    refused: Vec<String>,
}

impl News {
    /// What is new since the last look, a text for each thing.
    pub fn look(&mut self, running: &Running) -> Vec<String> {
        let (status, engine) = running.graph();
        let mut news = self.absent(&status.absent);
        news.extend(self.served(engine));
        news.extend(self.refused(&status));
        news
    }

    fn absent(&mut self, absent: &[Absent]) -> Vec<String> {
        let before = std::mem::replace(&mut self.absent, absent.to_vec());
        let was = |one: &Absent, all: &[Absent]| all.iter().any(|other| other.subgraph == one.subgraph);
        let gone = absent.iter().filter(|one| !was(one, &before));
        let back = before.iter().filter(|one| !was(one, absent));
        let gone = gone.map(|one| format!("… {} does not tell its schema: {}", one.subgraph, one.reason));
        gone.chain(back.map(|one| format!("… {} is there", one.subgraph)))
            .collect()
    }

    fn served(&mut self, engine: Option<Arc<Engine>>) -> Option<String> {
        let engine = engine?;
        let before = self.served.replace(Arc::clone(&engine));
        let Some(before) = before else {
            return Some(format!("✓ composed {}", names(&engine)));
        };
        if Arc::ptr_eq(&before, &engine) {
            return None;
        }
        let changes = compare(before.supergraph().api_schema(), engine.supergraph().api_schema());
        Some(match changes.is_empty() {
            true => format!("✓ composed {}: clients see no difference", names(&engine)),
            false => format!(
                "✓ composed {}; for clients:\n{}",
                names(&engine),
                told(&changes).trim_end()
            ),
        })
    }

    fn refused(&mut self, status: &Status) -> Option<String> {
        if self.refused == status.refused {
            return None;
        }
        self.refused.clone_from(&status.refused);
        if self.refused.is_empty() {
            return Some("✓ the last change is mended".to_owned());
        }
        let why = match &status.shown {
            Some(shown) => shown.trim_end().to_owned(),
            None => self.refused.join("\n"),
        };
        let then = match self.served {
            Some(_) => "the last good graph is served on",
            None => "there is nothing to serve yet",
        };
        Some(format!("✗ this does not compose; {then}\n{why}"))
    }
}

fn names(engine: &Engine) -> String {
    let subgraphs = engine.supergraph().subgraphs().iter();
    let mut names: Vec<_> = subgraphs.map(|subgraph| subgraph.name.as_str()).collect();
    names.sort_unstable();
    names.join(", ")
}

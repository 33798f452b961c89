//! What is known about the supergraph: for `/health/ready` and the log.

use std::sync::Arc;

use serde::Serialize;

/// The state of the supergraph.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Status {
    /// Where the served supergraph came from; `None` while none is served.
    pub origin: Option<Origin>,
    /// Subgraphs that did not tell their SDL at the last look.
    pub absent: Vec<Absent>,
    /// Why the last change was refused; empty if it was taken.
    pub refused: Vec<String>,
    /// The same of a composition, with the lines of SDL that are meant.
    #[serde(skip)]
    pub shown: Option<Arc<str>>,
}

/// Where a served supergraph came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Composed here.
    Composed,
    /// A supergraph file.
    File,
    /// A supergraph at a URL.
    Url,
    /// The last good one, from `supergraph.state_dir`.
    Kept,
}

impl Origin {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Composed => "composed",
            Origin::File => "file",
            Origin::Url => "url",
            Origin::Kept => "kept",
        }
    }
}

/// A subgraph that did not tell its SDL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Absent {
    /// Its name.
    pub subgraph: String,
    /// Why.
    pub reason: String,
}

impl Status {
    /// What an operator should look at, as sentences.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        match self.origin {
            None => reasons.push("no supergraph is served yet".to_owned()),
            Some(Origin::Kept) => reasons.push("the supergraph is the last good one from disk".to_owned()),
            Some(_) => {}
        }
        let absent = self
            .absent
            .iter()
            .map(|absent| format!("subgraph '{}': {}", absent.subgraph, absent.reason));
        reasons.extend(absent);
        reasons.extend(
            self.refused
                .iter()
                .map(|error| format!("the last change was refused: {error}")),
        );
        reasons
    }
}

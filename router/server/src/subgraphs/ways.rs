//! How a subgraph is called, besides where it is.

use crate::config::SubgraphConfig;

/// What compressed answers are asked for by.
const CODINGS: &str = "accept-encoding: gzip, br, zstd\r\n";

/// What the configuration says of calls to a subgraph.
#[derive(Debug, Clone, Default)]
pub struct Ways {
    /// Whether compressed answers are asked for.
    pub packed: bool,
}

impl Ways {
    /// The ways of a subgraph, as the configuration overrides them.
    pub fn new(overrides: Option<&SubgraphConfig>) -> Ways {
        overrides.map_or_else(Ways::default, |subgraph| Ways {
            packed: subgraph.compression,
        })
    }

    /// The lines of each call's head that come of them.
    pub fn lines(&self) -> &'static str {
        if self.packed { CODINGS } else { "" }
    }
}

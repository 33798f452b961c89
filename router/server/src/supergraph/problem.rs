//! Why there is no new supergraph, in words.

use baedal_composition::Diagnostic;

use super::Absent;

/// Why there is no new supergraph.
#[derive(Debug, thiserror::Error)]
pub enum SupergraphProblem {
    /// The supergraph file cannot be read.
    #[error("cannot read the supergraph {file}: {why}")]
    Unreadable {
        /// Its path or URL.
        file: String,
        /// The reason.
        why: String,
    },
    /// The subgraphs do not compose.
    #[error("the subgraphs do not compose:\n{}", lines(.0))]
    Composition(Vec<Diagnostic>),
    /// The supergraph cannot be served.
    #[error("the supergraph cannot be served: {0}")]
    Engine(String),
    /// SDL files are missing.
    #[error("{}", .0.iter().map(|absent| format!("subgraph '{}': {}", absent.subgraph, absent.reason)).collect::<Vec<_>>().join("\n"))]
    Absent(Vec<Absent>),
}

impl SupergraphProblem {
    /// As sentences for an operator.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            SupergraphProblem::Composition(errors) => errors.iter().map(line).collect(),
            other => vec![other.to_string()],
        }
    }
}

fn lines(errors: &[Diagnostic]) -> String {
    errors.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Code, place and message.
pub fn line(error: &Diagnostic) -> String {
    let place = match (&error.subgraph, error.line) {
        (Some(subgraph), Some(line)) => format!(
            " (subgraph '{subgraph}', line {line}:{})",
            error.column.unwrap_or(1)
        ),
        (Some(subgraph), None) => format!(" (subgraph '{subgraph}')"),
        _ => String::new(),
    };
    format!("{}{place}: {}", error.code, error.message)
}

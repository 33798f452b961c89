//! The log of a process: lines for people, or JSON for machines, on standard error.
//!
//! `RUST_LOG` chooses what is logged, `BAEDAL_LOG=json` makes each line a JSON object (`LOG_FORMAT` is an older name of
//! the same). What belongs to a request bears its `request_id`.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

/// What is logged if `RUST_LOG` does not say.
const USUAL: &str = "info,sqlx=warn";

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Format {
    /// The format that an environment asks for.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Format {
        let asked = variable("BAEDAL_LOG").or_else(|| variable("LOG_FORMAT"));
        match asked {
            Some(asked) if asked.eq_ignore_ascii_case("json") => Format::Json,
            _ => Format::Text,
        }
    }
}

/// Starts the log as the environment asks for.
///
/// The first call of a process decides; later ones change nothing, so that several parts can live in one process.
pub fn init() {
    init_or(USUAL);
}

/// The same with another choice where `RUST_LOG` makes none.
pub fn init_or(usual: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let log = fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // An error says that there is a log already.
    let _ = match Format::of(|name| std::env::var(name).ok()) {
        Format::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
        Format::Text => log.compact().try_init(),
    };
}

//! Logs of a service process.

use tracing_subscriber::{EnvFilter, fmt};

/// Sends logs to standard error: `RUST_LOG` chooses what (default `info`), `BAEDAL_LOG=json` chooses JSON lines.
///
/// The first call of a process decides; later ones change nothing, so that several services can live in one process.
pub fn init(service: &'static str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let builder = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    let json = std::env::var("BAEDAL_LOG").is_ok_and(|form| form == "json");
    let first = if json {
        builder.json().try_init()
    } else {
        builder.compact().try_init()
    };
    if first.is_ok() {
        tracing::debug!(service, "logging");
    }
}

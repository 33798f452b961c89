//! `cargo xtask loom`: the circuit breaker with a lock whose every interleaving is tried
//! (<https://docs.rs/loom>).
use anyhow::Result;

use crate::run::{cargo, root, shown};

/// How often a thread is stopped in the middle of something, at most. More find hardly more, and take for ever.
const PREEMPTIONS: &str = "3";

/// Builds the crate with that lock, apart from everything else, and runs the models.
pub fn loom() -> Result<()> {
    shown(
        cargo()
            .env("RUSTFLAGS", "--cfg baedal_loom")
            .env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS)
            .env("CARGO_TARGET_DIR", root().join("target/loom"))
            .args(["test", "--locked", "-p", "baedal-traffic", "--test", "main"]),
    )
}

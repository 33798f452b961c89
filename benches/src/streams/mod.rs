//! Streams under load: `cargo xtask streams`.
//!
//! The story: a subgraph that emits events ([`upstream`]), the gateway as a program, many clients of few bytes each
//! ([`client`]). Idle clients show what one costs; a fan-out shows how late events are; clients that never read must be
//! closed and harm nobody; the schema changes again and again; all clients come again at once. [`report`] holds the figures against what is wanted.

pub(crate) mod client;
mod latency;
mod reload;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod upstream;

pub use run::{StreamArgs, run};

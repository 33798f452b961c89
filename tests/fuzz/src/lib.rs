//! What anyone may send to the gateway, made up by machines: nothing of it makes a stage panic or hang.
//!
//! `targets` says what is done with an input, `corpus` holds the inputs to start from (the files below `corpus/`),
//! `mutate` makes others of them, and `watch` stops what does not end. `cargo test` tries each target for a few
//! seconds; `cargo xtask fuzz` lets libFuzzer look for new code paths for as long as is asked for.
pub mod corpus;
#[cfg(feature = "router")]
mod gateway;
pub mod mutate;
pub mod targets;
pub mod watch;

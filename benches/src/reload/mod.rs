//! Changes of schema and configuration under load: `cargo xtask reload`.
//!
//! The story: a graph of two subgraphs ([`graph`]), requests at a steady rate whose answers are compared ([`load`]), and
//! subscribers that note every gap. Seconds with a change and seconds without take turns; then many more changes come as
//! fast as they are served, for what they leave in memory. The figures are held against what is wanted.

mod graph;
mod load;
mod run;

pub use run::{ReloadArgs, run};

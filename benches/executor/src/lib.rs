//! What the executor's benches measure with: a graph of three subgraphs, their data, and compiled programs.
//!
//! The domain is a shop with reviews, in two forms: *records* (many short fields) and *texts* (long ones, partly Korean).
pub mod data;
pub mod graph;
pub mod wide;

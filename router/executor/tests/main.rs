//! The executor, black box: plans written by hand, subgraphs that say what the test wants.
// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used)]

mod answers;
mod bounds;
mod entities;
mod errors;
mod hostile;
mod nulls;
mod oracle;
mod plans;
mod properties;
mod scheduling;
mod script;
mod splits;
mod twins;

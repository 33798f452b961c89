//! What the crate promises, seen from outside.

mod metrics;
mod traces;
mod vitals;

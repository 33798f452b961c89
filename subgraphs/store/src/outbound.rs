//! Driven adapters: what the ports are in this world.

pub mod language;
pub mod sql;

//! Driven adapters: what the ports are in this world.

mod language;
pub mod sql;

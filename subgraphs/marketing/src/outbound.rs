//! Driven adapters: what the ports are in this world.

pub mod language;
pub mod mongo;
pub mod sql;

/// Name of this service's inbox.
const CONSUMER: &str = "marketing";

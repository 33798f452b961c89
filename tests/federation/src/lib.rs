//! Federated graphs as data: a case is a folder with the SDL of each subgraph, its data, and operations
//! with the answers they must get. One mock server plays every subgraph, strictly.
//!
//! It knows the gateway's engine and its HTTP server, and nothing of the delivery platform.
mod case;
pub mod differential;
mod entities;
mod fault;
mod field_set;
pub mod generate;
pub mod incremental;
pub mod injection;
mod object;
mod probe;
pub mod reference;
mod rename;
pub mod save;
mod schema;
mod server;
pub mod shrink;
pub mod whole;
pub mod world;

pub use case::{Case, ExpectedError, Operation, check};
pub use fault::Fault;
pub use probe::probe;
pub use server::Mock;

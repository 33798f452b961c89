//! Federated graphs as data: a case is a folder with the SDL of each subgraph, its data, and operations
//! with the answers they must get. One mock server plays every subgraph, strictly.
mod case;
mod object;
mod schema;
mod server;

pub use case::{Case, Operation, check};
pub use server::Mock;

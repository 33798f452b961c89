//! Plans federated operations.
pub mod plan;

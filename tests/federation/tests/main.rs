//! Federated graphs against the gateway.
mod cases;
mod differential;
mod docs;
mod incremental;
mod injection;
mod labels;
mod whole;

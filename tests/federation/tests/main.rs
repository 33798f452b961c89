//! Federated graphs against the gateway.
mod cases;
mod differential;
mod docs;
mod injection;
mod labels;

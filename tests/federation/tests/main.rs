//! Federated graphs against the gateway.
mod cases;
mod differential;
mod injection;
mod labels;

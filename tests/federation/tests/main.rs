//! Federated graphs against the gateway.
mod cases;
mod differential;
mod labels;

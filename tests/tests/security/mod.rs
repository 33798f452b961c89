//! Tokens that must not open anything, at the gateway and at each subgraph.
mod revocation;
mod tokens;

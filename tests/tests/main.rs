//! Acceptance tests of the delivery platform.
mod contract;

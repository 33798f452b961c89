//! Behaviour suites of the kit's ports, each run on every adapter.
//!
//! The real servers are given by `POSTGRES_URL`, `MONGODB_URL` and `KAFKA_BROKERS` (`cargo xtask test` sets them);
//! without one of them its tests say that they did not run.

mod auth;
mod consumer;
mod crash;
mod effects;
mod failpoint;
mod letters;
mod log;
mod ops;
mod primitives;
mod proof;
mod prune;
mod serve;
mod sql;
mod store;
mod support;
mod telemetry;

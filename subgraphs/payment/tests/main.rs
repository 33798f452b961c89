//! The payment service from outside and from inside.
//!
//! `store_suite` runs on SQLite always and on Postgres when `POSTGRES_URL` is set (`cargo xtask test` sets it).

// A helper that fails is a test that fails; clippy sees only functions marked as tests.
#![allow(clippy::unwrap_used)]

mod app;
mod domain;
mod events;
mod graphql;
mod grpc;
mod provider_suite;
mod store_suite;
mod support;

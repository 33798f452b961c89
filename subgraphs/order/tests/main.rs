//! The order service from outside and from inside.
//!
//! `store_suite` runs on SQLite always and on MongoDB when `MONGODB_URL` is set (`cargo xtask test` sets it).

// A helper that fails is a test that fails; clippy sees only functions marked as tests.
#![allow(clippy::unwrap_used)]

mod app;
mod domain;
mod end_to_end;
mod events;
mod graphql;
mod guards;
mod store_suite;
mod support;

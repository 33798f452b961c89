//! The server from outside: independent clients, every attack of the checklist, and the same scenarios on SQLite and
//! Postgres.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod clients;
mod codes;
mod commands;
mod databases;
mod independent;
mod login;
mod metadata;
mod refresh;
mod revoked;
mod start;
mod world;

//! The verifier seen from outside: every attack of the checklist, the key cache, and bytes from nowhere.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod bytes;
mod cache;
mod foreign;
mod forge;
mod header;
mod message;

//! Plumbing of a subgraph service, with not one word of the delivery domain in it.
//!
//! A service's command writes its state and its events in one transaction ([`sql`] or [`mongo`], with the outbox); the
//! relay ([`outbox`]) hands the events to the event log ([`log`]: Kafka, or an embedded file) in order per key; another
//! service's consumer ([`consumer`]) reads them in batches and applies each once, because the inbox row is written in
//! the transaction of the effect. [`serve`] puts a GraphQL schema on HTTP and WebSocket, [`auth`] says who calls.
//!
//! Delivery is at least once everywhere, effects are exactly once through the inbox; nothing relies on a broker's
//! transactions. This crate knows tokens (baedal-token), but no service and no event.

pub mod auth;
pub mod clock;
pub mod consumer;
pub mod deadline;
pub mod envelope;
pub mod error;
pub mod failpoint;
mod hang;
pub mod health;
pub mod log;
pub mod mongo;
mod next;
pub mod ops;
pub mod outbox;
pub mod page;
pub mod proof;
pub mod prune;
pub mod retry;
pub mod rounds;
pub mod serve;
pub mod sql;
pub mod telemetry;
mod worker;

pub use serve::{Running, Service, serve};
pub use worker::Worker;

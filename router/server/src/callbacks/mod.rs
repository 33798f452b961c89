//! Subscriptions whose events subgraphs bring by requests of their own: the
//! [HTTP callback protocol](https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/callback-protocol),
//! version 1.0.
//!
//! * [`Callbacks`] knows the subscriptions under way by their ids. Whoever knows an id and the secret that was made for
//!   it (its *verifier*) is the subgraph that was asked; everyone else gets 404, whatever was wrong;
//! * `message` is what a subgraph says; `door` is where it says it.
//!
//! The side that asks and reads is [`crate::subgraphs`].

mod door;
mod message;
mod registry;

pub use door::{mount, serve};
pub use registry::{Callbacks, Expected, Heard};

use http::HeaderName;

/// The header by which both sides say that they speak the protocol.
pub const PROTOCOL: HeaderName = HeaderName::from_static("subscription-protocol");
/// The version that is spoken.
pub const VERSION: &str = "callback/1.0";

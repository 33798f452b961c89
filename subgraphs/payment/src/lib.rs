//! 결제 payment: charges each order once, undoes what was given up, gives back what was cancelled.
//!
//! A hexagon: [`domain`] decides, [`app`] carries out through [`ports`], [`policies`] say what another context's event
//! makes us do. Called by gRPC, GraphQL and events ([`inbound`]); stands on SQL and on a provider ([`outbound`]).
//! It knows nothing of orders but their ids.

pub mod app;
mod config;
pub mod domain;
pub mod inbound;
pub mod outbound;
pub mod policies;
pub mod ports;
mod start;

pub use config::Config;
pub use inbound::graphql::sdl;
pub use start::{PaymentService, start, start_service};

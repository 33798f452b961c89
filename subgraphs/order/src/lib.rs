//! 주문 order: takes orders, has them paid, and follows them until they are delivered or given up.
//!
//! A hexagon: [`domain`] decides, [`app`] carries out through [`ports`], [`policies`] say what another context's event,
//! or time, makes us do. Called by GraphQL and by events ([`inbound`]); stands on MongoDB or SQLite and on payment's gRPC
//! ([`outbound`]). It knows stores and coupons only by what they have published.

pub mod app;
mod config;
pub mod domain;
pub mod inbound;
pub mod outbound;
pub mod policies;
pub mod ports;
mod start;
mod store;
mod told;

pub use config::{Config, PAYMENT_CONNECTIONS};
pub use inbound::graphql::sdl;
pub use start::{OrderService, start, start_service};
pub use told::METRICS;

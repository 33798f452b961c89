//! The marketing service (마케팅): what a delivery brings its customer, and the live feed that shows it.
//!
//! A hexagon: [`domain`] and [`policies`] decide, [`app`] loads, lets them decide and saves; [`feed`] is the live side;
//! `inbound` and `outbound` are the adapters. It knows order, payment and store by their events only, and nobody waits
//! for it.

pub mod app;
pub mod domain;
pub mod feed;
mod inbound;
pub mod outbound;
pub mod policies;
pub mod ports;
mod service;

pub use inbound::events::Inbox;
pub use inbound::graphql::{MarketingSchema, schema};
pub use service::{Config, start};

/// The subgraph's schema as Federation 2 SDL.
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new()
        .federation()
        .sorted_fields()
        .sorted_enum_items();
    inbound::graphql::bare().sdl_with_options(options)
}

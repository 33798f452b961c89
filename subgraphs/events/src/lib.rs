//! The published language of the delivery platform: every event, as plain data.
//!
//! One module per producer. An event is a serde struct (camelCase JSON) that also yields its JSON Schema; what it is
//! called, in which topic it travels and one example of it come from [`DomainEvent`]. [`all`] lists every event, for the
//! exported files in `schema/events/` and the contract test.
//!
//! This crate knows no service, no store and no broker: only names and fields. Identifiers are opaque strings, money is
//! whole KRW, times inside a payload are RFC 3339 text (the time of the fact itself is in the envelope).

mod event;
pub mod marketing;
pub mod order;
pub mod payment;
mod registry;
pub mod store;

pub use event::DomainEvent;
pub use registry::{Entry, all};

/// Topic of the order service's events.
pub const ORDER_TOPIC: &str = "baedal.order";
/// Topic of the payment service's events.
pub const PAYMENT_TOPIC: &str = "baedal.payment";
/// Topic of the store service's events.
pub const STORE_TOPIC: &str = "baedal.store";
/// Topic of the marketing service's events.
pub const MARKETING_TOPIC: &str = "baedal.marketing";

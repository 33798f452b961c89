//! Tokens that are no good any more though they have not expired: a [`List`] of them for each issuer that publishes one,
//! asked for again and again ([`Watched`]), and an [`Alarm`] for whoever let somebody in before.
//!
//! Nobody waits for the list: a token is compared with what was read last, so that an issuer which is away stops nobody.

mod alarm;
mod list;
mod watched;

pub use alarm::{Alarm, Bell};
pub use watched::{View, Watched};

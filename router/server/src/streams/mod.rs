//! Subscriptions between subgraphs and clients, whatever protocol either of them speaks.
//!
//! * a [`Hub`] knows all streams under way: one upstream for each distinct subscription (`key`), however many clients
//!   it has and whichever threads serve them;
//! * a `channel` is the list of a stream's clients; a `pump` drives its upstream, resolves each event once, and hands
//!   the same bytes to all of them;
//! * an [`Outbox`] is what waits for one client: bounded, so that a client that does not read harms only itself;
//! * [`Operations`] are what a client has under way, by the ids it chose;
//! * `cursor` finds where a stream is, and how it can go on there.

mod admission;
mod channel;
mod cursor;
mod hub;
mod key;
mod operation;
mod operations;
mod outbox;
mod pump;

pub use admission::{Admission, Admitted};
pub use hub::Hub;
pub use operation::{Operation, Origin};
pub use operations::{Claim, Operations};
#[cfg(test)]
pub use outbox::Event;
pub use outbox::{Op, Out, Outbox};

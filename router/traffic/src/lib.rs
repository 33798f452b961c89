//! What stands before a call to something that may be slow, broken or overloaded.
//!
//! Layers, from the caller to the call: **shed** (no more than so many wait) → **bulkhead** (no more than so many calls
//! at once, a bounded wait for a turn) → **circuit breaker** → **timeout** → the call. Retries are outside, with a
//! budget. [`Layers`] is all of them around one thing that is called; the parts can be had alone.
//!
//! It must not know what is called, nor by which protocol: a caller says how a call went. Time comes from a [`Clock`],
//! chance as an argument.

pub mod adaptive;
pub mod breaker;
pub mod budget;
pub mod bulkhead;
pub mod rate;
pub mod retry;

mod clock;
mod layers;
mod rotation;
mod sync;
mod window;

pub use breaker::{Breaker, Outcome, Pass, Rejected, State};
pub use budget::Budget;
pub use bulkhead::{Bulkhead, Full, Place};
pub use clock::{Clock, TokioClock};
pub use layers::{Ask, Layers, Settings, Snapshot, Stopped};
pub use rate::Rates;
pub use rotation::{Pick, Rotation};

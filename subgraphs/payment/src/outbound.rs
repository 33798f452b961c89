//! The world behind the ports.

mod publish;
mod record;
pub mod simulated;
pub mod sql;

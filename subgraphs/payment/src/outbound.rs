//! The world behind the ports.

pub mod publish;
mod record;
pub mod simulated;
pub mod sql;

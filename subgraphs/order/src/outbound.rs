//! The world behind the ports.

pub mod mongo;
pub mod payment;
pub mod publish;
mod record;
pub mod sql;

/// Name of order's inbox.
const CONSUMER: &str = "order";

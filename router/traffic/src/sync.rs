//! The lock of the breaker: the standard one, or the one whose every interleaving `cargo xtask loom` tries.

#[cfg(baedal_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(not(baedal_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};

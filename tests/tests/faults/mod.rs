//! Processes that die.
mod killed;
mod parts;

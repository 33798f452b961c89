//! Driving adapters: who may ask the application for what, and in which words.

pub mod events;
pub mod graphql;

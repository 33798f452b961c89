//! The whole delivery platform in one process, on embedded stores.
//!
//! [`settings`] decides what runs where, [`parts`] starts each part, [`platform`] runs a set of them
//! together, [`supervise`] each in a process of its own, [`login`] gets tokens as users do, [`ops`] is the operator's view,
//! [`cli`] is the command line. There is no domain word
//! and no protocol here: each part is a crate of its own and runs the same as a single process.
pub mod banner;
pub mod cli;
pub mod demo;
pub mod login;
pub mod ops;
pub mod parts;
pub mod platform;
pub mod settings;
pub mod supervise;

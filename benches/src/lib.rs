//! How fast the gateway is, next to what is possible.
//!
//! Its duty: a small federated graph whose subgraphs cost next to nothing ([`domain`], [`subgraphs`]), load that compares
//! every answer ([`load`]), two limits to measure the gateway against ([`limits`]: a plain server, and the bare calls),
//! the operating system's account of each process ([`process`]), and a table ([`report`]); many clients of subscriptions ([`streams`]), and changes under load ([`reload`]). It must not know how the
//! gateway works: it is started like any other program and reached by HTTP only. [`run`] tells the story.

pub mod domain;
pub mod limits;
pub mod load;
pub mod process;
pub mod queries;
pub mod recording;
pub mod reload;
pub mod replay;
pub mod report;
pub mod run;
pub mod serve;
pub mod streams;
pub mod subgraphs;

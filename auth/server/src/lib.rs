//! The auth server of baedal: OAuth 2.1 and OpenID Connect over SQLite or Postgres.
//!
//! Its duty is to find out who somebody is and to say so in signed tokens. It knows users, clients, grants and keys; it
//! knows nothing of orders or stores, and no other service's address. Any number of replicas may share one database.
//!
//! - `domain/` the rules, without HTTP, SQL or a clock
//! - `flow/` what the server does, one specification per file
//! - `http/` paths, forms, cookies, pages; where errors become answers
//! - `db/` the tables
//! - [`start`] puts them together; [`admin`] makes the first user and client

pub mod admin;
mod config;
mod context;
mod db;
mod demo;
mod domain;
mod flow;
mod http;
mod observe;
mod params;
mod server;

pub use config::Config;
pub use context::Clock;
pub use demo::{DEMO_CLIENT, DEMO_PAGE_CLIENT, DEMO_PAGE_REDIRECTS, DEMO_REDIRECT, DEMO_USERS, DemoUser};
pub use domain::Role;
pub use observe::METRICS;
pub use server::{Running, StartError, start, start_at, system_clock};

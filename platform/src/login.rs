//! Getting an access token from the auth server: authorization code with PKCE (RFC 6749 section 4.1,
//! RFC 7636), with a loopback redirect (RFC 8252 section 7.3).
//!
//! Two ways through the same protocol: [`browser`] lets a person log in, [`account`] fills in the
//! login form of a demo account by itself.
pub mod account;
pub mod browser;
mod form;
pub(crate) mod http;
mod loopback;
mod protocol;

pub(crate) use protocol::token_endpoint;
pub use protocol::{Session, Tokens};

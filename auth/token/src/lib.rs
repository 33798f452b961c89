//! Access tokens of baedal: reading, checking and signing them.
//!
//! This crate's duty is one question — *is this text an access token of our issuer, and what does it say?* — answered
//! the same way at the gateway, in every subgraph and in the auth server. It is the only place that configures a JWT
//! library. It does no I/O: the clock is an argument (seconds since 1970), keys come in as JWKS bytes, and fetching
//! them is the caller's ([`FetchJwks`]).
//!
//! The road of a token: [`http::bearer`] takes it out of the header → [`authenticate`] finds its key in the
//! [`KeyCache`] → [`Verifier::verify`] checks the signature and every claim → [`Claims`].
//!
//! Beside it, [`message`] signs requests between two who share a secret, and verifies them.
//!
//! Standards: RFC 9068 (JWT access tokens), RFC 8725 (JWT best practice), RFC 7515, 7517, 7519, RFC 6750 (bearer use).

mod cache;
mod claims;
mod error;
mod header;
mod keyset;
mod profile;
mod signing;
mod strict;
mod verify;

pub mod http;
pub mod message;

pub use cache::{FetchJwks, KeyCache};
pub use claims::{Claims, Scopes};
pub use error::{KeyError, TokenError};
pub use keyset::KeySet;
pub use profile::{Algorithm, Form, Profile};
pub use signing::{SigningKey, thumbprint};
pub use verify::{ACCESS_TOKEN_TYPE, MAX_LEEWAY, MAX_TOKEN, Verifier};

/// Who sent a request, by the value of its `Authorization` header.
///
/// No header is `Ok(None)`: an anonymous caller. A header that is not a valid bearer token is an error, never anonymous.
/// `now` is in seconds since 1970.
pub async fn authenticate<F: FetchJwks>(
    header: Option<&str>,
    cache: &KeyCache<F>,
    verifier: &Verifier,
    now: u64,
) -> Result<Option<Claims>, TokenError> {
    let Some(value) = header else { return Ok(None) };
    let token = http::bearer(value)?;
    let kid = header::read(token, verifier.profile())?.kid;
    let keys = cache.keys_for(&kid, now).await?;
    verifier.verify(token, &keys, now).map(Some)
}

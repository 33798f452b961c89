//! RFC 9068 section 4: validating a JWT access token.
//!
//! The library checks the signature only. Its own claim checks (`Validation`) are not used, here or anywhere: they read
//! the system's clock, skip claims of a wrong type unless told otherwise, and take the last of two equal keys.

use serde_json::{Map, Value};

use crate::keyset::Key;
use crate::{Algorithm, Claims, KeySet, Profile, TokenError, claims, header, strict};

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN: usize = 16 * 1024;

/// The largest clock difference that is forgiven, in seconds.
pub const MAX_LEEWAY: u64 = 30;

/// The `typ` of an access token (RFC 9068 section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// Checks access tokens of one issuer for one audience.
#[derive(Debug, Clone)]
pub struct Verifier {
    issuer: String,
    audience: String,
    leeway: u64,
    profile: Profile,
}

impl Verifier {
    /// A verifier with a leeway of 10 seconds. `issuer` is compared byte for byte: a trailing slash matters.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Verifier {
        Verifier {
            issuer: issuer.into(),
            audience: audience.into(),
            leeway: 10,
            profile: Profile::default(),
        }
    }

    /// Sets the leeway in seconds; more than [`MAX_LEEWAY`] is cut to it.
    pub fn with_leeway(mut self, seconds: u64) -> Verifier {
        self.leeway = seconds.min(MAX_LEEWAY);
        self
    }

    /// For tokens that are not as RFC 9068 has them.
    pub fn with_profile(mut self, profile: Profile) -> Verifier {
        self.profile = profile;
        self
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Checks header, signature and claims; `now` is in seconds since 1970.
    pub fn verify(&self, token: &str, keys: &KeySet, now: u64) -> Result<Claims, TokenError> {
        let header = header::read(token, &self.profile)?;
        let key = keys.get(&header.kid).ok_or(TokenError::UnknownKid)?;
        if !key.algorithms.contains(&header.algorithm) {
            return Err(TokenError::Algorithm);
        }
        check_signature(token, key, header.algorithm)?;
        let [_, payload, _] = header::parts(token)?;
        let payload = strict::object(&header::decode(payload)?)?;
        let claims = Claims::read(&payload, &self.profile)?;
        self.check_parties(&claims)?;
        self.check_times(&claims, &payload, now)?;
        Ok(claims)
    }

    fn check_parties(&self, claims: &Claims) -> Result<(), TokenError> {
        if claims.iss != self.issuer {
            return Err(TokenError::Issuer);
        }
        if !claims.aud.contains(&self.audience) {
            return Err(TokenError::Audience);
        }
        Ok(())
    }

    fn check_times(&self, claims: &Claims, payload: &Map<String, Value>, now: u64) -> Result<(), TokenError> {
        if claims.exp.saturating_add(self.leeway) <= now {
            return Err(TokenError::Expired);
        }
        let latest = now.saturating_add(self.leeway);
        let not_before = claims::time(payload, "nbf")?.unwrap_or(0);
        if not_before > latest || claims.iat > latest {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}

/// The algorithm is one of the key's own. No claim is read before this has passed.
fn check_signature(token: &str, key: &Key, algorithm: Algorithm) -> Result<(), TokenError> {
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let algorithm = algorithm.library();
    match jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key.decoding, algorithm) {
        Ok(true) => Ok(()),
        Ok(false) => Err(TokenError::Signature),
        Err(_) => Err(TokenError::Malformed),
    }
}

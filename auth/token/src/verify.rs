//! RFC 9068 section 4: validating a JWT access token. The only place that builds a `jsonwebtoken::Validation`.

use jsonwebtoken::Validation;
use jsonwebtoken::errors::ErrorKind;
use serde_json::{Map, Value};

use crate::keyset::Key;
use crate::{Claims, KeySet, TokenError, claims, header, strict};

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
}

impl Verifier {
    /// A verifier with a leeway of 10 seconds. `issuer` is compared byte for byte: a trailing slash matters.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Verifier {
        Verifier { issuer: issuer.into(), audience: audience.into(), leeway: 10 }
    }

    /// Sets the leeway in seconds; more than [`MAX_LEEWAY`] is cut to it.
    pub fn with_leeway(mut self, seconds: u64) -> Verifier {
        self.leeway = seconds.min(MAX_LEEWAY);
        self
    }

    /// Checks header, signature and claims; `now` is in seconds since 1970.
    pub fn verify(&self, token: &str, keys: &KeySet, now: u64) -> Result<Claims, TokenError> {
        let header = header::read(token)?;
        let key = keys.get(&header.kid).ok_or(TokenError::UnknownKid)?;
        if key.algorithm != header.algorithm {
            return Err(TokenError::Algorithm);
        }
        self.check_signature(token, key)?;
        let [_, payload, _] = header::parts(token)?;
        let payload = strict::object(&header::decode(payload)?)?;
        let claims = Claims::read(&payload)?;
        self.check_parties(&claims)?;
        self.check_times(&claims, &payload, now)?;
        Ok(claims)
    }

    /// Times are left out here because the library reads the system's clock; [`Self::check_times`] reads `now`.
    fn check_signature(&self, token: &str, key: &Key) -> Result<(), TokenError> {
        let mut validation = Validation::new(key.algorithm);
        validation.algorithms = vec![key.algorithm];
        validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        match jsonwebtoken::decode::<serde::de::IgnoredAny>(token, &key.decoding, &validation) {
            Ok(_) => Ok(()),
            Err(error) => Err(refusal(error.kind())),
        }
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

fn refusal(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidIssuer => TokenError::Issuer,
        ErrorKind::InvalidAudience => TokenError::Audience,
        ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
        ErrorKind::MissingRequiredClaim(name) => TokenError::Claim(known_claim(name)),
        _ => TokenError::Malformed,
    }
}

fn known_claim(name: &str) -> &'static str {
    ["iss", "sub", "aud", "exp"].into_iter().find(|known| *known == name).unwrap_or("claims")
}

//! The JOSE header (RFC 7515 section 4), read before anything is trusted.
//!
//! Only `alg`, `typ`, `kid` and `crit` are looked at. `jku`, `x5u`, `jwk` and `x5c` are never a source of keys
//! (RFC 8725 section 3.10), so they are not even read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::{Algorithm, Form, MAX_TOKEN, Profile, TokenError, strict};

/// The longest `kid` that is looked up; ours are 43 characters.
const MAX_KID: usize = 128;

/// A header that passed: an allowed algorithm, an access token, a bounded key id.
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: String,
}

/// Reads and checks the header of a token that nobody has verified yet.
pub(crate) fn read(token: &str, profile: &Profile) -> Result<Header, TokenError> {
    let [header, _, _] = parts(token)?;
    let fields = strict::object(&decode(header)?)?;
    if fields.contains_key("crit") {
        return Err(TokenError::Critical);
    }
    check_type(&fields, profile.form)?;
    Ok(Header {
        algorithm: algorithm(&fields, &profile.algorithms)?,
        kid: kid(&fields)?,
    })
}

/// The three parts of a compact JWS; the length is bounded before anything else is done with the text.
pub(crate) fn parts(token: &str) -> Result<[&str; 3], TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(TokenError::TooLong);
    }
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(claims), Some(signature), None) => Ok([header, claims, signature]),
        _ => Err(TokenError::Malformed),
    }
}

/// Base64url without padding, canonical (RFC 7515 section 2).
pub(crate) fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

/// RFC 9068 section 4: `at+jwt`, or with the `application/` prefix; media types ignore case. Other tokens may be called
/// JWT, or nothing (RFC 7519 section 5.1).
fn check_type(fields: &Map<String, Value>, form: Form) -> Result<(), TokenError> {
    let named = match fields.get("typ") {
        None => None,
        Some(Value::String(typ)) => Some(typ.to_ascii_lowercase()),
        Some(_) => return Err(TokenError::NotAnAccessToken),
    };
    let fits = matches!(
        (named.as_deref(), form),
        (Some("at+jwt" | "application/at+jwt"), _) | (None | Some("jwt"), Form::Jwt)
    );
    if fits {
        Ok(())
    } else {
        Err(TokenError::NotAnAccessToken)
    }
}

/// The allow-list (RFC 8725 section 3.1). `none` and every symmetric algorithm are outside it; names are case-sensitive.
fn algorithm(fields: &Map<String, Value>, allowed: &[Algorithm]) -> Result<Algorithm, TokenError> {
    let named = fields.get("alg").and_then(Value::as_str);
    let known = named.and_then(Algorithm::of_name);
    known
        .filter(|algorithm| allowed.contains(algorithm))
        .ok_or(TokenError::Algorithm)
}

fn kid(fields: &Map<String, Value>) -> Result<String, TokenError> {
    match fields.get("kid").and_then(Value::as_str) {
        Some(kid) if !kid.is_empty() && kid.len() <= MAX_KID => Ok(kid.to_owned()),
        _ => Err(TokenError::Malformed),
    }
}

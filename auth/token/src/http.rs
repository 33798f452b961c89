//! The HTTP words of bearer tokens (RFC 6750), as plain text: no server, no client.

use crate::TokenError;

/// The one `Authorization` value of a request, from the raw values of all its `Authorization` headers.
///
/// None is an anonymous caller; two are refused with [`TokenError::SeveralTokens`] (status 400), because two readers
/// might take different ones. A value that is not visible ASCII is [`TokenError::NotBearer`].
pub fn single<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<&'a str>, TokenError> {
    let mut values = values.into_iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(TokenError::SeveralTokens);
    }
    match std::str::from_utf8(first) {
        Ok(text) if text.is_ascii() => Ok(Some(text)),
        _ => Err(TokenError::NotBearer),
    }
}

/// The token of an `Authorization` value: `Bearer`, in any case, one or more spaces, the token.
///
/// A comma means two credentials were joined into one header: [`TokenError::SeveralTokens`].
pub fn bearer(value: &str) -> Result<&str, TokenError> {
    let (scheme, rest) = value.trim().split_once(' ').ok_or(TokenError::NotBearer)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::NotBearer);
    }
    let token = rest.trim_start();
    match token.bytes().find(|byte| !is_token_byte(*byte)) {
        _ if token.is_empty() => Err(TokenError::NotBearer),
        None => Ok(token),
        Some(b',') => Err(TokenError::SeveralTokens),
        Some(_) => Err(TokenError::Malformed),
    }
}

/// `b64token` of RFC 6750 section 2.1.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

/// The HTTP status for a refused token: 400 for an ambiguous request, 503 when the keys cannot be had, else 401.
pub fn status(error: &TokenError) -> u16 {
    match error {
        TokenError::SeveralTokens => 400,
        TokenError::KeysUnavailable => 503,
        _ => 401,
    }
}

/// The `WWW-Authenticate` value for a request with a bad token.
pub const INVALID_TOKEN: &str = r#"Bearer error="invalid_token""#;

/// The `WWW-Authenticate` value for a request without a token (RFC 6750 section 3.1: no error code then).
pub const NO_TOKEN: &str = "Bearer";

/// The `WWW-Authenticate` value for a refused token, if its status has one.
pub fn www_authenticate(error: &TokenError) -> Option<&'static str> {
    (status(error) == 401).then_some(INVALID_TOKEN)
}

//! Who the client says it is: [RFC 6749 section 2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3).

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use crate::context::Context;
use crate::domain::{Client, OAuthError};
use crate::params::Params;

/// The client of a request to a machine endpoint: proven by its secret, or public and named.
pub async fn authenticate(ctx: &Context, headers: &HeaderMap, params: &Params) -> Result<Client, OAuthError> {
    let (id, secret) = presented(headers, params)?;
    let client = ctx.db.client(&id).await?.ok_or(OAuthError::InvalidClient)?;
    let proven = match (&client.secret_hash, &secret) {
        (Some(_), Some(secret)) => client.has_secret(secret),
        (None, None) => true,
        _ => false,
    };
    if proven {
        Ok(client)
    } else {
        Err(OAuthError::InvalidClient)
    }
}

/// "The client MUST NOT use more than one authentication method in each request."
fn presented(headers: &HeaderMap, params: &Params) -> Result<(String, Option<String>), OAuthError> {
    let in_body = params.get("client_secret");
    let Some((id, secret)) = basic(headers)? else {
        let id = params.get("client_id").ok_or(OAuthError::InvalidClient)?;
        return Ok((id.to_owned(), in_body.map(str::to_owned)));
    };
    if in_body.is_some() {
        return Err(OAuthError::InvalidRequest(
            "the client authenticates in the header and in the body",
        ));
    }
    if params.get("client_id").is_some_and(|named| named != id) {
        return Err(OAuthError::InvalidRequest(
            "client_id is not the client of the Authorization header",
        ));
    }
    Ok((id, Some(secret)))
}

/// HTTP Basic, whose halves are form-encoded first.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(OAuthError::InvalidRequest(
            "the request carries more than one Authorization header",
        ));
    }
    let encoded = value.to_str().ok().and_then(|text| text.split_once(' '));
    let encoded = encoded
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .ok_or(OAuthError::InvalidClient)?
        .1;
    let decoded = STANDARD
        .decode(encoded.trim())
        .map_err(|_| OAuthError::InvalidClient)?;
    let text = String::from_utf8(decoded).map_err(|_| OAuthError::InvalidClient)?;
    let (id, secret) = text.split_once(':').ok_or(OAuthError::InvalidClient)?;
    Ok(Some((unescape(id), unescape(secret))))
}

fn unescape(text: &str) -> String {
    let pair = form_urlencoded::parse(text.as_bytes()).next();
    pair.map(|(name, _)| name.into_owned()).unwrap_or_default()
}

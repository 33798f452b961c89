//! Form bodies: bounded, of the right type, each parameter once.

use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request};

use crate::params::Params;

/// The largest form: a request of 8 kB in a hidden field, escaped, and a password of 1 kB.
const MAX_FORM: usize = 64 * 1024;
/// The longest query string.
const MAX_QUERY: usize = 8 * 1024;

/// Reads the body; the text of an error is fit for the client.
pub async fn read(request: Request<Body>) -> Result<Params, &'static str> {
    if !is_form(request.headers()) {
        return Err("the body must be application/x-www-form-urlencoded");
    }
    let body = to_bytes(request.into_body(), MAX_FORM)
        .await
        .map_err(|_| "the body is too large")?;
    parse(&body)
}

/// Reads a query string.
pub fn read_query(query: Option<&str>) -> Result<Params, &'static str> {
    let query = query.unwrap_or("");
    if query.len() > MAX_QUERY {
        Err("the request is too long")
    } else {
        parse(query.as_bytes())
    }
}

fn parse(encoded: &[u8]) -> Result<Params, &'static str> {
    use crate::params::ParamsError;
    Params::parse(encoded).map_err(|error| match error {
        ParamsError::Repeated => "a parameter is repeated",
        ParamsError::NotUtf8 => "a parameter is not UTF-8",
        ParamsError::TooMany => "there are too many parameters",
    })
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

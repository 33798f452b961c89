//! How outcomes are written: status, headers, body. The one place where errors become HTTP.

use axum::Json;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, PRAGMA, REFERRER_POLICY, WWW_AUTHENTICATE,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::pages;
use crate::domain::OAuthError;
use crate::flow::Refusal;

/// JSON that no cache keeps (RFC 6749 section 5.1).
pub fn private_json(status: StatusCode, body: &impl Serialize) -> Response {
    let headers = [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")];
    (
        status,
        headers,
        Json(serde_json::to_value(body).unwrap_or_default()),
    )
        .into_response()
}

/// RFC 6749 section 5.2.
pub fn oauth_error(error: &OAuthError) -> Response {
    let status = match error {
        OAuthError::InvalidClient => StatusCode::UNAUTHORIZED,
        OAuthError::Server(cause) => {
            tracing::error!(%cause, "request failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
        _ => StatusCode::BAD_REQUEST,
    };
    let body = json!({ "error": error.code(), "error_description": error.to_string() });
    let mut response = private_json(status, &body);
    if status == StatusCode::UNAUTHORIZED {
        insert(&mut response, WWW_AUTHENTICATE, "Basic realm=\"baedal\"");
    }
    response
}

/// A refusal at the authorization endpoint: a page, or a redirect to a client that was checked.
pub fn refusal(refusal: Refusal) -> Response {
    match refusal {
        Refusal::Page(reason) => page(StatusCode::BAD_REQUEST, pages::error(reason), None),
        Refusal::Redirect(url) => redirect(&url),
        Refusal::Server(cause) => {
            tracing::error!(%cause, "request failed");
            page(
                StatusCode::INTERNAL_SERVER_ERROR,
                pages::error("The server could not complete the request."),
                None,
            )
        }
    }
}

/// 303: the browser follows with GET and without the form (RFC 9700 section 4.12).
pub fn redirect(url: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else {
        return page(
            StatusCode::BAD_REQUEST,
            pages::error("The redirect_uri cannot be used."),
            None,
        );
    };
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// A page that runs no script, loads nothing foreign and stands in no frame. `form_source` is where a form on it may
/// lead in the end: browsers check `form-action` along redirects, too.
///
/// `same-origin` as referrer policy, because with `no-referrer` browsers post forms with `Origin: null`.
pub fn page(status: StatusCode, html: String, form_source: Option<&str>) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'",
        form_source.unwrap_or("")
    );
    let mut response = (status, Html(html)).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    insert(&mut response, CACHE_CONTROL, "no-store");
    insert(&mut response, REFERRER_POLICY, "same-origin");
    insert(&mut response, HeaderName::from_static("x-frame-options"), "DENY");
    insert(
        &mut response,
        HeaderName::from_static("x-content-type-options"),
        "nosniff",
    );
    insert(
        &mut response,
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    response
}

/// Sets a header.
pub fn insert(response: &mut Response, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

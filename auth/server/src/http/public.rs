//! What anybody may read, and userinfo for whoever brings a token.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use baedal_token::{TokenError, http as bearer};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::answer::{insert, oauth_error, private_json};
use crate::context::Context;
use crate::flow::{self, UserinfoRefusal};

/// GET /.well-known/…
pub async fn metadata(State(ctx): State<Arc<Context>>) -> Response {
    (
        [(CACHE_CONTROL, "public, max-age=300")],
        Json(flow::metadata(&ctx.settings)),
    )
        .into_response()
}

/// GET /jwks.json. Caches keep it for less than the notice a new key is given.
pub async fn jwks(State(ctx): State<Arc<Context>>) -> Response {
    (
        [(CACHE_CONTROL, "public, max-age=30")],
        Json(ctx.keys().jwks().clone()),
    )
        .into_response()
}

/// GET /revoked: what access tokens are no good any more, though they have not expired. Asked for every few seconds, so
/// it is sent only if it has changed.
pub async fn revoked(State(ctx): State<Arc<Context>>, headers: HeaderMap) -> Response {
    let (list, tag) = match flow::revoked(&ctx).await {
        Ok(found) => found,
        Err(error) => return oauth_error(&error.into()),
    };
    let is_known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .any(|known| known.as_bytes() == tag.as_bytes());
    let fields = [(CACHE_CONTROL, "no-cache".to_owned()), (ETAG, tag)];
    match is_known {
        true => (StatusCode::NOT_MODIFIED, fields).into_response(),
        false => {
            let json = [(CONTENT_TYPE, "application/json")];
            (fields, json, list).into_response()
        }
    }
}

/// GET or POST /userinfo, with the token in the header only (RFC 6750 sections 2.2 and 2.3 are not offered).
pub async fn userinfo(State(ctx): State<Arc<Context>>, headers: HeaderMap) -> Response {
    let token = match token(&headers) {
        Ok(Some(token)) => token,
        Ok(None) => return challenge(StatusCode::UNAUTHORIZED, Some(bearer::NO_TOKEN)),
        Err(error) => return refused(&error),
    };
    match flow::userinfo(&ctx, token).await {
        Ok(claims) => private_json(StatusCode::OK, &claims),
        Err(UserinfoRefusal::Token(error)) => refused(&error),
        Err(UserinfoRefusal::Scope) => challenge(
            StatusCode::FORBIDDEN,
            Some(r#"Bearer error="insufficient_scope", scope="openid""#),
        ),
        Err(UserinfoRefusal::Server(error)) => oauth_error(&error.into()),
    }
}

/// What changes when the server is about to end: it is not ready, and answers ask for their connection to be closed.
pub async fn leave(State(leaving): State<CancellationToken>, request: Request, next: Next) -> Response {
    if !leaving.is_cancelled() {
        return next.run(request).await;
    }
    let mut response = match request.uri().path() {
        "/health/ready" => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"status": "draining"})),
        )
            .into_response(),
        _ => next.run(request).await,
    };
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}

fn token(headers: &HeaderMap) -> Result<Option<&str>, TokenError> {
    let values = headers
        .get_all(AUTHORIZATION)
        .iter()
        .map(|value| value.as_bytes());
    bearer::single(values)?.map(bearer::bearer).transpose()
}

fn refused(error: &TokenError) -> Response {
    let status = StatusCode::from_u16(bearer::status(error)).unwrap_or(StatusCode::UNAUTHORIZED);
    challenge(status, bearer::www_authenticate(error))
}

fn challenge(status: StatusCode, value: Option<&'static str>) -> Response {
    let mut response = private_json(status, &json!({ "error": "invalid_token" }));
    if let Some(value) = value {
        insert(&mut response, WWW_AUTHENTICATE, value);
    }
    response
}

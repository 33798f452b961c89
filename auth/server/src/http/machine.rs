//! The endpoints that clients call, not browsers: /token, /revoke, /introspect.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;

use super::answer::{oauth_error, private_json};
use super::{client_auth, form};
use crate::context::Context;
use crate::domain::{Client, OAuthError};
use crate::flow;
use crate::params::Params;

/// POST /token, RFC 6749 section 3.2.
pub async fn token(State(ctx): State<Arc<Context>>, request: Request<Body>) -> Response {
    match try_token(&ctx, request).await {
        Ok(answer) => private_json(StatusCode::OK, &answer),
        Err(error) => oauth_error(&error),
    }
}

async fn try_token(ctx: &Context, request: Request<Body>) -> Result<flow::TokenAnswer, OAuthError> {
    let headers = request.headers().clone();
    let params = form::read(request).await.map_err(OAuthError::InvalidRequest)?;
    let grant_type = params
        .get("grant_type")
        .ok_or(OAuthError::InvalidRequest("grant_type is required"))?;
    if !["authorization_code", "refresh_token", "client_credentials"].contains(&grant_type) {
        return Err(OAuthError::UnsupportedGrantType);
    }
    let client = client_auth::authenticate(ctx, &headers, &params).await?;
    match grant_type {
        "authorization_code" => flow::redeem_code(ctx, &client, &params).await,
        "refresh_token" => flow::refresh(ctx, &client, &params).await,
        _ => flow::client_credentials(ctx, &client, &params),
    }
}

/// POST /revoke, RFC 7009.
pub async fn revoke(State(ctx): State<Arc<Context>>, request: Request<Body>) -> Response {
    let outcome = match identify(&ctx, request).await {
        Ok((client, params)) => flow::revoke(&ctx, &client, &params).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => private_json(StatusCode::OK, &serde_json::json!({})),
        Err(error) => oauth_error(&error),
    }
}

/// POST /introspect, RFC 7662.
pub async fn introspect(State(ctx): State<Arc<Context>>, request: Request<Body>) -> Response {
    let outcome = match identify(&ctx, request).await {
        Ok((client, params)) => flow::introspect(&ctx, &client, &params).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(answer) => private_json(StatusCode::OK, &answer),
        Err(error) => oauth_error(&error),
    }
}

async fn identify(ctx: &Context, request: Request<Body>) -> Result<(Client, Params), OAuthError> {
    let headers = request.headers().clone();
    let params = form::read(request).await.map_err(OAuthError::InvalidRequest)?;
    let client = client_auth::authenticate(ctx, &headers, &params).await?;
    Ok((client, params))
}

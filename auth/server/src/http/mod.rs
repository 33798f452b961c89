//! HTTP: which path leads to which flow, and how its outcome is written. Errors become answers in [`answer`] only.

mod address;
mod answer;
mod browser;
mod client_auth;
mod cookie;
mod form;
pub mod health;
mod machine;
mod pages;
mod public;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use crate::context::Context;
use crate::observe;

/// No request takes longer: the slowest waits five seconds for its turn to hash a password.
const PATIENCE: Duration = Duration::from_secs(20);

/// All endpoints. A server that is `leaving` says that it is not ready, and asks for connections to be closed.
pub fn router(ctx: Arc<Context>, leaving: CancellationToken) -> Router {
    Router::new()
        .route(
            "/authorize",
            get(browser::authorize_get).post(browser::authorize_post),
        )
        .route("/login", post(browser::login))
        .route("/consent", post(browser::consent))
        .route("/token", post(machine::token))
        .route("/revoke", post(machine::revoke))
        .route("/revoked", get(public::revoked))
        .route("/introspect", post(machine::introspect))
        .route("/userinfo", get(public::userinfo).post(public::userinfo))
        .route("/jwks.json", get(public::jwks))
        .route("/.well-known/openid-configuration", get(public::metadata))
        .route("/.well-known/oauth-authorization-server", get(public::metadata))
        .route("/style.css", get(pages::style))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            PATIENCE,
        ))
        .layer(from_fn_with_state(leaving, public::leave))
        .layer(from_fn_with_state(Arc::clone(&ctx), observe::watch))
        .with_state(ctx)
}

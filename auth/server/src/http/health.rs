//! Whether the server works, and whether it can be used.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::context::Context;

/// GET /health/live: all loops give signs of life. If not, a restart helps.
pub async fn live(State(ctx): State<Arc<Context>>) -> Response {
    let silent = ctx.observer.vitals.silent(Instant::now());
    if silent.is_empty() {
        return Json(json!({ "status": "live" })).into_response();
    }
    let reasons: Vec<String> = silent.iter().map(ToString::to_string).collect();
    let body = json!({ "status": "hung", "reasons": reasons });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

/// GET /health/ready: the database answers, too.
pub async fn ready(State(ctx): State<Arc<Context>>) -> Response {
    match ctx.db.ping().await {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(cause) => {
            tracing::warn!(%cause, "not ready");
            let body = json!({ "status": "database unavailable" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

//! How the service is: `/health/live`, `/health/ready` and `/metrics`.

use super::App;
use crate::health;
use async_graphql::Executor;
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use baedal_telemetry::metrics::CONTENT_TYPE as TEXT_FORMAT;
use serde_json::json;
use std::time::Instant;

/// `GET /health/live`: 200 while all loops give signs of life, else 503 with those that do not. A restart helps then, and
/// only then: what a restart cannot mend (a store that is away) belongs to readiness.
pub(super) async fn live<E: Executor>(State(app): State<App<E>>) -> Response {
    let silent = app.telemetry.vitals().silent(Instant::now());
    if silent.is_empty() {
        return Json(json!({ "status": "live", "service": app.name })).into_response();
    }
    let reasons: Vec<String> = silent.iter().map(ToString::to_string).collect();
    let body = json!({ "status": "hung", "service": app.name, "reasons": reasons });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

/// `GET /health/ready`: 200 if every check passes, else 503 with the reasons.
pub(super) async fn ready<E: Executor>(State(app): State<App<E>>) -> Response {
    if app.leaving.is_cancelled() {
        let body = json!({ "status": "draining", "service": app.name });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    }
    let checks = health::run(&app.checks).await;
    let ok = checks.iter().all(|check| check.ok);
    let (status, word) = match ok {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    let body = json!({ "status": word, "service": app.name, "checks": checks });
    (status, Json(body)).into_response()
}

/// `GET /metrics`: the page for Prometheus.
pub(super) async fn metrics<E: Executor>(State(app): State<App<E>>) -> Response {
    ([(CONTENT_TYPE, TEXT_FORMAT)], app.telemetry.page().await).into_response()
}

//! The HTTP side: one operation per POST.

use super::{App, TraceParent, request::Work};
use crate::{
    auth::{Auth, Caller},
    deadline,
    error::UNAUTHENTICATED,
    next,
    telemetry::trace,
};
use async_graphql::{Executor, Request};
use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use baedal_token::{TokenError, http as bearer};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// `POST /graphql` ([GraphQL over HTTP](https://graphql.github.io/graphql-over-http/draft/), JSON requests).
pub(super) async fn graphql<E: Executor>(
    State(app): State<App<E>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let until = deadline::of(&headers, Instant::now());
    let mut work = Work::begin(&app.telemetry, &headers);
    let (tracer, context, fields) = (app.telemetry.tracer().clone(), work.context(), work.log_fields());
    let answering = deadline::within(until, answer(&app, &headers, &body, &mut work));
    let answered = trace::within(&tracer, context, answering)
        .instrument(fields)
        .await;
    let response = match answered {
        Ok(answered) => answered.unwrap_or_else(|refusal| refusal),
        Err(passed) => late(passed),
    };
    work.end(response)
}

/// The answer to a request that nobody waits for any more.
fn late(passed: deadline::Passed) -> Response {
    refusal(
        StatusCode::GATEWAY_TIMEOUT,
        "DEADLINE_EXCEEDED",
        &passed.to_string(),
    )
}

/// The answer to an operation, or to what is none.
async fn answer<E: Executor>(
    app: &App<E>,
    headers: &HeaderMap,
    body: &Bytes,
    work: &mut Work,
) -> Result<Response, Response> {
    if !is_json(headers) {
        return Err(refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "BAD_REQUEST",
            "the body must be application/json",
        ));
    }
    let caller = caller(app.auth.as_deref(), headers).await;
    let caller = caller.map_err(|error| unauthenticated(&error))?;
    let mut request: Request = serde_json::from_slice(body).map_err(|error| {
        let message = format!("the body is not a GraphQL request: {error}");
        refusal(StatusCode::BAD_REQUEST, "BAD_REQUEST", &message)
    })?;
    work.read(&mut request);
    let trace = TraceParent(Some(work.context().to_string()));
    let mut request = request.data(caller).data(trace);
    if let Some(ops) = &app.ops {
        request = request.data(ops.clone());
    }
    let mut answer = app.schema.execute(request).await;
    next::answer(app.name, &mut answer);
    work.executed(&answer);
    let cache = answer.cache_control.value();
    let mut response = Json(&answer).into_response();
    if let Some(value) = cache.and_then(|value| HeaderValue::from_str(&value).ok()) {
        response.headers_mut().insert(header::CACHE_CONTROL, value);
    }
    Ok(response)
}

/// Who sends these headers; without a verifier everybody is anonymous.
pub(super) async fn caller(auth: Option<&Auth>, headers: &HeaderMap) -> Result<Caller, TokenError> {
    match auth {
        Some(auth) => auth.caller_of(headers).await,
        None => Ok(Caller::Anonymous),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence.eq_ignore_ascii_case("application/graphql-response+json")
}

/// The answer to a request whose token is refused: 400, 401 or 503 (RFC 6750 section 3).
pub(super) fn unauthenticated(error: &TokenError) -> Response {
    let status = StatusCode::from_u16(bearer::status(error)).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = refusal(status, UNAUTHENTICATED, &error.to_string());
    if let Some(value) = bearer::www_authenticate(error) {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(value));
    }
    response
}

pub(super) fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({ "errors": [{ "message": message, "extensions": { "code": code } }] });
    (status, Json(body)).into_response()
}

/// Whoever leaves asks for connections to be closed, so that the next request goes elsewhere.
pub(super) async fn farewell(State(leaving): State<CancellationToken>, mut response: Response) -> Response {
    if leaving.is_cancelled() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

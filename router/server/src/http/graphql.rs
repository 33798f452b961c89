//! The GraphQL endpoint: <https://graphql.github.io/graphql-over-http/draft/>

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request as HttpRequest, State, WebSocketUpgrade};
use axum::response::Response;
use baedal_planner::plan::OperationKind;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, UPGRADE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::csrf;
use super::negotiate::{self, Format};
use crate::errors::{Code, Refusal};
use crate::forward::{self, REQUEST_ID};
use crate::gateway::Gateway;
use crate::request::{self, Request};
use crate::{pipeline, ws};

/// Answers whatever comes to the endpoint.
pub async fn handle(State(gateway): State<Arc<Gateway>>, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let id = forward::request_id(&parts.headers);
    let is_get = parts.method == Method::GET;
    if is_get
        && parts
            .headers
            .get(UPGRADE)
            .is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
    {
        return upgrade(gateway, parts, id).await;
    }
    let format = negotiate::format(&parts.headers);
    let outcome = match format {
        None => Err(not_acceptable()),
        Some(_) => answer(&gateway, parts, body, &id).await,
    };
    let mut response = respond(outcome, format.unwrap_or(Format::Json));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

async fn answer(
    gateway: &Arc<Gateway>,
    parts: Parts,
    body: Body,
    id: &HeaderValue,
) -> Result<Bytes, Refusal> {
    check_headers(&parts.headers, gateway.config.limits.header_bytes)?;
    let is_get = match parts.method {
        Method::GET => true,
        Method::POST => false,
        _ => {
            return Err(Refusal::new(
                Code::MethodNotAllowed,
                "use POST, or GET for queries",
            ));
        }
    };
    let caller = gateway.identity.of_headers(&parts.headers).await?;
    let request = if is_get {
        from_get(gateway, &parts)?
    } else {
        from_post(gateway, &parts, body).await?
    };
    let prepared = pipeline::prepare(gateway, &caller, request).await?;
    check_kind(prepared.kind(), is_get)?;
    let headers = forward::headers(
        &parts.headers,
        &gateway.propagated,
        id,
        caller.authorization.as_ref(),
    );
    Ok(prepared.execute(gateway, headers).await?.body)
}

fn from_get(gateway: &Gateway, parts: &Parts) -> Result<Request, Refusal> {
    csrf::check_get(&parts.headers, &gateway.config.csrf)?;
    request::from_query_string(parts.uri.query().unwrap_or_default(), &gateway.config.limits)
}

async fn from_post(gateway: &Gateway, parts: &Parts, body: Body) -> Result<Request, Refusal> {
    csrf::check_content_type(&parts.headers)?;
    let limits = &gateway.config.limits;
    let reading = read(parts, body, limits.body_bytes);
    let body = tokio::time::timeout(limits.body_timeout, reading)
        .await
        .unwrap_or_else(|_| Err(too_slow()))?;
    request::from_json(&body, limits)
}

fn too_slow() -> Refusal {
    Refusal::new(
        Code::BodyTooSlow,
        "the body did not come in time (limits.body_timeout)",
    )
}

/// Reads a body; a length that is too large is refused before the first byte.
async fn read(parts: &Parts, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let too_large = || {
        Refusal::new(
            Code::BodyTooLarge,
            format!("the body is larger than {limit} bytes (limits.body_bytes)"),
        )
    };
    let told = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Refusal::new(
            Code::BadRequest,
            "the body could not be read to its end",
        )),
    }
}

fn check_kind(kind: OperationKind, is_get: bool) -> Result<(), Refusal> {
    match kind {
        OperationKind::Query => Ok(()),
        OperationKind::Mutation if is_get => Err(Refusal::new(Code::MutationByGet, "send mutations by POST")),
        OperationKind::Mutation => Ok(()),
        OperationKind::Subscription => Err(Refusal::new(
            Code::SubscriptionNeedsWebSocket,
            "subscriptions are served over WebSocket (graphql-transport-ws) at this same path",
        )),
    }
}

fn check_headers(headers: &HeaderMap, limit: usize) -> Result<(), Refusal> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if bytes > limit {
        let message = format!("the headers are larger than {limit} bytes (limits.header_bytes)");
        return Err(Refusal::new(Code::HeadersTooLarge, message));
    }
    Ok(())
}

/// A WebSocket: origin and token are looked at before the upgrade, so that a refusal has an HTTP status.
async fn upgrade(gateway: Arc<Gateway>, mut parts: Parts, id: HeaderValue) -> Response {
    let checked = async {
        check_headers(&parts.headers, gateway.config.limits.header_bytes)?;
        csrf::check_origin(&parts.headers, &gateway.config.csrf, &gateway.config.cors)?;
        if gateway.closing.is_cancelled() {
            return Err(Refusal::new(Code::ShuttingDown, "the gateway is stopping"));
        }
        gateway
            .identity
            .of_headers(&parts.headers)
            .await
            .map_err(Refusal::from)
    };
    let caller = match checked.await {
        Ok(caller) => caller,
        Err(refusal) => return respond(Err(refusal), Format::Json),
    };
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => ws::accept(
            gateway,
            upgrade,
            ws::Upgraded {
                headers: parts.headers,
                id,
                caller,
            },
        ),
        Err(_) => respond(
            Err(Refusal::new(
                Code::BadRequest,
                "this is not a valid WebSocket handshake",
            )),
            Format::Json,
        ),
    }
}

fn respond(outcome: Result<Bytes, Refusal>, format: Format) -> Response {
    let (status, body, code) = match outcome {
        Ok(body) => (StatusCode::OK, body, None),
        Err(refusal) => (
            refusal.code.status(format == Format::Json),
            refusal.body().into(),
            Some(refusal.code),
        ),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, format.content_type());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match code {
        Some(Code::InvalidToken) => {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static(baedal_token::http::INVALID_TOKEN),
            );
        }
        Some(Code::MethodNotAllowed) => drop(headers.insert(ALLOW, HeaderValue::from_static("GET, POST"))),
        Some(Code::MutationByGet) => drop(headers.insert(ALLOW, HeaderValue::from_static("POST"))),
        _ => {}
    }
    response
}

fn not_acceptable() -> Refusal {
    let message = "accept application/graphql-response+json or application/json";
    Refusal::new(Code::NotAcceptable, message)
}

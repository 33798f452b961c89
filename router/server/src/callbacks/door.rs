//! Where subgraphs bring events: `POST {subscriptions.callback.path}/{id}`.
//!
//! Answers: 204 to a `check`, 200 to a `next`, 202 to a `complete`; 404 where the subscription is not (any more), and the
//! subgraph has to end it; 400 to what is no message. An id that does not exist and a secret that is wrong are told by
//! the same answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use tokio::net::TcpListener;

use super::message::{self, Message};
use super::registry::{Heard, Refused};
use super::{Callbacks, PROTOCOL, VERSION};
use crate::gateway::Gateway;

/// What the door needs.
#[derive(Clone)]
struct Door {
    gateway: Arc<Gateway>,
    callbacks: Arc<Callbacks>,
}

/// The gateway's routes, and that of callbacks if they come to the same address.
pub fn mount(routes: Router, gateway: &Arc<Gateway>) -> Router {
    match &gateway.callbacks {
        Some(callbacks) if callbacks.settings().listen.is_none() => {
            routes.merge(door(gateway, Arc::clone(callbacks)))
        }
        _ => routes,
    }
}

/// Serves callbacks on an address of their own until the gateway stops.
pub async fn serve(listener: TcpListener, gateway: Arc<Gateway>) {
    let Some(callbacks) = gateway.callbacks.clone() else {
        return;
    };
    let closing = gateway.closing.clone();
    let routes = door(&gateway, callbacks);
    let serving = axum::serve(listener, routes).with_graceful_shutdown(closing.cancelled_owned());
    if let Err(error) = serving.await {
        tracing::error!(%error, "callbacks are served no more");
    }
}

fn door(gateway: &Arc<Gateway>, callbacks: Arc<Callbacks>) -> Router {
    let path = format!("{}/{{id}}", callbacks.settings().path);
    let door = Door {
        gateway: Arc::clone(gateway),
        callbacks,
    };
    Router::new().route(&path, post(answer)).with_state(door)
}

async fn answer(State(door): State<Door>, Path(id): Path<String>, request: Request) -> Response {
    let outcome = hear(&door, &id, request).await;
    let (name, status, text) = match outcome {
        Ok(done) => done,
        Err(refused) => refused,
    };
    door.gateway.observer.callbacks.with(&[name]).inc();
    let mut response = (status, text).into_response();
    let version = http::HeaderValue::from_static(VERSION);
    response.headers_mut().insert(PROTOCOL, version);
    response
}

/// How it is counted, its status, and a word to whoever came.
type Outcome = (&'static str, StatusCode, String);

async fn hear(door: &Door, id: &str, request: Request) -> Result<Outcome, Outcome> {
    let told = request.headers().get(PROTOCOL).map(|value| value.as_bytes());
    if told.is_some_and(|told| !told.starts_with(b"callback/1.")) {
        return Err(malformed(&format!("this gateway speaks {VERSION}")));
    }
    if !door.callbacks.knows(id) {
        return Err(unknown());
    }
    let body = read(&door.gateway, request.into_body()).await?;
    let Message {
        id: named,
        verifier,
        heard,
    } = message::read(&body).map_err(|why| malformed(&why))?;
    if named != id {
        return Err(unknown());
    }
    let done = match &heard {
        Heard::Check => ("check", StatusCode::NO_CONTENT),
        Heard::Next(_) => ("next", StatusCode::OK),
        Heard::Complete(_) => ("complete", StatusCode::ACCEPTED),
    };
    match door.callbacks.hand_on(id, &verifier, heard).await {
        Ok(()) => Ok((done.0, done.1, String::new())),
        Err(Refused::Unknown) => Err(unknown()),
        Err(Refused::Full) => {
            let text = "the subscription was given up: its events came quicker than they could be used";
            Err(("full", StatusCode::NOT_FOUND, text.to_owned()))
        }
    }
}

/// A body as large as a subgraph's answer may be, in the time that a client's has.
async fn read(gateway: &Gateway, body: Body) -> Result<Bytes, Outcome> {
    let limit = gateway.client.response_bytes();
    let within: Duration = gateway.config.limits.body_timeout;
    let reading = Limited::new(body, limit).collect();
    match tokio::time::timeout(within, reading).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let text = format!("larger than {limit} bytes (traffic.response_bytes)");
            Err(("bad", StatusCode::PAYLOAD_TOO_LARGE, text))
        }
        Ok(Err(_)) => Err(malformed("the body broke off")),
        Err(_) => Err((
            "bad",
            StatusCode::REQUEST_TIMEOUT,
            "the body is too slow".to_owned(),
        )),
    }
}

/// The same answer whatever is unknown: the id, or the secret.
fn unknown() -> Outcome {
    (
        "unknown",
        StatusCode::NOT_FOUND,
        "no such subscription".to_owned(),
    )
}

fn malformed(why: &str) -> Outcome {
    ("bad", StatusCode::BAD_REQUEST, why.to_owned())
}

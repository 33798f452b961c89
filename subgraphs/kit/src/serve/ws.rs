//! Subscriptions: the [graphql-transport-ws](https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md) protocol.
//!
//! A caller is known by the `Authorization` header of the upgrade, or by `authorization` in the payload of
//! `connection_init`. A connection does not outlive the token it was opened with.

use super::{
    App, MAX_BODY, TraceParent,
    http::{caller, refusal, unauthenticated},
    request::trace_context,
};
use crate::auth::{Auth, Caller};
use async_graphql::{
    Data, Executor,
    http::{ClientMessage, WebSocket as Protocol, WebSocketProtocols, WsMessage},
};
use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{HeaderMap, StatusCode},
    response::Response,
};
use futures_util::{Sink, SinkExt, Stream, StreamExt, future::ready};
use serde_json::Value;
use std::time::Duration;
use tokio::{sync::watch, time::Instant};

const SUBPROTOCOL: &str = "graphql-transport-ws";
/// How long a client may take to send `connection_init`.
const INIT: Duration = Duration::from_secs(10);
/// How often the line is tried, so that a peer that has vanished is noticed.
const PING: Duration = Duration::from_secs(20);
/// How far ahead a timer is set where there is no end.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// `GET /graphql` with an upgrade.
pub(super) async fn upgrade<E: Executor>(
    State(app): State<App<E>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return refusal(
            StatusCode::METHOD_NOT_ALLOWED,
            "BAD_REQUEST",
            "send operations by POST, or upgrade to WebSocket",
        );
    };
    let caller = match caller(app.auth.as_deref(), &headers).await {
        Ok(caller) => caller,
        Err(error) => return unauthenticated(&error),
    };
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(MAX_BODY);
    if upgrade.selected_protocol().is_none() {
        let message = format!("the WebSocket subprotocol must be {SUBPROTOCOL}");
        return refusal(StatusCode::BAD_REQUEST, "BAD_REQUEST", &message);
    }
    let trace = TraceParent(trace_context(&headers).map(|context| context.to_string()));
    let sockets = app.sockets.clone();
    upgrade.on_upgrade(move |socket| sockets.track_future(run(app, socket, caller, trace)))
}

/// How far the connection is.
#[derive(Clone, Copy)]
enum Phase {
    /// `connection_init` has not come yet.
    Greeting,
    /// It has, and its token is good until then.
    Open(Instant),
    /// It has, with a token that is refused.
    Refused,
}

async fn run<E: Executor>(app: App<E>, socket: WebSocket, caller: Caller, trace: TraceParent) {
    let (sink, stream) = socket.split();
    let (phase, mut watched) = watch::channel(Phase::Greeting);
    let auth = app.auth.clone();
    let greet = move |payload: Value| async move {
        match welcome(auth.as_deref(), caller, &payload).await {
            Ok((caller, until)) => {
                phase.send_replace(Phase::Open(until));
                let mut data = Data::default();
                data.insert(caller);
                data.insert(trace);
                Ok(data)
            }
            Err(message) => {
                phase.send_replace(Phase::Refused);
                Err(async_graphql::Error::new(message))
            }
        }
    };
    let protocol = Protocol::from_message_stream(
        app.schema.clone(),
        messages(stream),
        WebSocketProtocols::GraphQLWS,
    )
    .on_connection_init(greet);
    let end = talk(protocol, sink, &mut watched, app.draining.cancelled()).await;
    tracing::debug!(service = app.name, end, "socket closed");
}

/// Who the caller is after `connection_init`, and until when.
async fn welcome(auth: Option<&Auth>, caller: Caller, payload: &Value) -> Result<(Caller, Instant), String> {
    let Some(auth) = auth else {
        return Ok((Caller::Anonymous, Instant::now() + NEVER));
    };
    let caller = match authorization(payload)? {
        Some(value) => auth
            .caller_of_value(Some(value))
            .await
            .map_err(|error| error.to_string())?,
        None => caller,
    };
    let left = auth.time_left(&caller).unwrap_or(NEVER).min(NEVER);
    Ok((caller, Instant::now() + left))
}

/// The `authorization` of a payload, its name in any case.
fn authorization(payload: &Value) -> Result<Option<&str>, String> {
    let mut values = payload
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.eq_ignore_ascii_case("authorization"));
    match (values.next(), values.next()) {
        (None, _) | (Some((_, Value::Null)), None) => Ok(None),
        (Some((_, Value::String(value))), None) => Ok(Some(value)),
        (Some(_), None) => Err("authorization must be a string".to_owned()),
        (Some(_), Some(_)) => Err("several authorizations".to_owned()),
    }
}

/// What the client says, until it closes.
fn messages(
    stream: impl Stream<Item = Result<Message, axum::Error>> + Send,
) -> impl Stream<Item = serde_json::Result<ClientMessage>> + Send {
    stream
        .take_while(|message| ready(matches!(message, Ok(message) if !matches!(message, Message::Close(_)))))
        .filter_map(|message| {
            ready(match message {
                Ok(Message::Text(text)) => Some(ClientMessage::from_bytes(text.as_bytes())),
                Ok(Message::Binary(bytes)) => Some(ClientMessage::from_bytes(bytes)),
                _ => None,
            })
        })
}

/// Carries the protocol's messages to the client until one side, the token or the service ends it; says which.
async fn talk(
    protocol: impl Stream<Item = WsMessage>,
    mut sink: impl Sink<Message, Error = axum::Error> + Unpin,
    phase: &mut watch::Receiver<Phase>,
    draining: impl Future<Output = ()>,
) -> &'static str {
    let mut protocol = std::pin::pin!(protocol);
    let mut draining = std::pin::pin!(draining);
    let opened = Instant::now();
    let mut ping = tokio::time::interval_at(opened + PING, PING);
    loop {
        let current = *phase.borrow_and_update();
        let (deadline, late) = match current {
            Phase::Greeting => (opened + INIT, (4408, "Connection initialisation timeout")),
            Phase::Open(until) => (until, (4403, "Forbidden: the access token has expired")),
            Phase::Refused => (opened + NEVER, (4403, "Forbidden")),
        };
        let message = tokio::select! {
            message = protocol.next() => match message {
                Some(WsMessage::Text(text)) => Message::Text(text.into()),
                Some(WsMessage::Close(code, reason)) => {
                    let phase = *phase.borrow();
                    let _ = sink.send(close(close_code(phase, code), reason)).await;
                    return "protocol";
                }
                None => return "client",
            },
            () = tokio::time::sleep_until(deadline) => {
                let _ = sink.send(close(late.0, late.1.to_owned())).await;
                return "deadline";
            }
            () = &mut draining => {
                let _ = sink.send(close(1001, "the service is going away".to_owned())).await;
                return "draining";
            }
            Ok(()) = phase.changed() => continue,
            _ = ping.tick() => Message::Ping(Default::default()),
        };
        if sink.send(message).await.is_err() {
            return "line";
        }
    }
}

/// The library closes with general codes; the protocol has its own.
fn close_code(phase: Phase, code: u16) -> u16 {
    match (phase, code) {
        (Phase::Refused, _) => 4403,
        (Phase::Greeting, 1011) => 4401,
        (_, 1002) => 4400,
        (_, code) => code,
    }
}

fn close(code: u16, reason: String) -> Message {
    // A close frame takes 123 bytes of reason (RFC 6455 section 5.5).
    let cut = (0..=reason.len().min(120))
        .rev()
        .find(|at| reason.is_char_boundary(*at))
        .unwrap_or(0);
    Message::Close(Some(CloseFrame {
        code,
        reason: reason[..cut].into(),
    }))
}

//! WebSocket connections of clients: graphql-transport-ws.
//!
//! Protocol: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>. A connection is a [`session`], which
//! reads messages; each operation on it runs in a task of its own (`operation`); one writer owns the sending side
//! (`outbox`), with a bounded queue.

mod close;
mod message;
mod operation;
mod outbox;
mod session;

use std::sync::Arc;

use axum::extract::WebSocketUpgrade;
use axum::response::Response;
use http::{HeaderMap, HeaderValue};

use crate::gateway::Gateway;
use crate::jwt::Caller;

/// The name of the protocol.
const PROTOCOL: &str = "graphql-transport-ws";

/// What came with the upgrade request.
pub struct Upgraded {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its request id.
    pub id: HeaderValue,
    /// Who sent it.
    pub caller: Caller,
}

/// Accepts the upgrade. Whether the client speaks the protocol is said by a close code (4406), as the protocol wants.
pub fn accept(gateway: Arc<Gateway>, upgrade: WebSocketUpgrade, upgraded: Upgraded) -> Response {
    let limit = gateway.config.websocket.message_bytes;
    let tasks = gateway.tasks.clone();
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_upgrade(move |socket| async move {
            // The session is tracked, so that a stop waits for its farewell.
            let _ = tasks.spawn(session::run(gateway, socket, upgraded)).await;
        })
}

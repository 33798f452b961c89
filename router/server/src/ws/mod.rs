//! WebSocket connections of clients: graphql-transport-ws, and the older subscriptions-transport-ws.
//!
//! A connection is one task, a [`session`]: it reads messages, and writes what its outbox holds. What operations do, and
//! where the events of streams come from, is in [`crate::streams`].

mod close;
mod handshake;
pub(crate) mod message;
mod session;

pub use handshake::Handshake;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use self::message::Dialect;
use crate::forward;
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::streams::{Admitted, Origin};
use crate::traffic::ClientKey;

/// Bytes read at once. A connection keeps so many, and most messages of clients are shorter.
const READ_BUFFER: usize = 1024;
/// Bytes that are gathered before they are written, when several messages wait.
const WRITE_BUFFER: usize = 4096;

/// What came with the upgrade request.
pub struct Upgraded {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its request id.
    pub id: HeaderValue,
    /// Who sent it.
    pub caller: Caller,
    /// That there is room for it.
    pub admitted: Admitted,
    /// From where, where a limit asks for it.
    pub client: Option<ClientKey>,
}

/// Accepts the upgrade. Whether the client speaks a protocol is said by a close code (4406), as the protocol wants.
pub fn accept<B: Default>(gateway: Arc<Gateway>, handshake: Handshake, upgraded: Upgraded) -> Response<B> {
    let limit = gateway.config.websocket.message_bytes;
    let origin = Origin {
        headers: forward::lasting(&upgraded.headers, &gateway.rules),
        id: forward::owned(&upgraded.id),
        client: upgraded.client,
    };
    let (caller, admitted) = (upgraded.caller, upgraded.admitted);
    // The session is tracked, so that a stop waits for its farewell.
    let token = gateway.tasks.token();
    let config = WebSocketConfig::default()
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit))
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER);
    let answer = handshake.answer();
    tokio::spawn(async move {
        let dialect = handshake.protocol().map(Dialect::of_name);
        match handshake.finish(config).await {
            Ok(socket) => session::run(gateway, (socket, dialect), (origin, caller, admitted)).await,
            Err(error) => tracing::debug!(%error, "a connection ended before it was a WebSocket"),
        }
        drop(token);
    });
    answer
}

//! Answers that stay open over HTTP: server-sent events, in both modes of
//! [graphql-sse](https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), and
//! [multipart subscriptions](https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol).
//!
//! What HTTP can say itself (a bad token, a bad body) is said by a status; what is wrong with the GraphQL is said in the
//! stream, as both protocols want.

mod body;
mod dialect;
mod reservations;
mod single;

pub use body::StreamBody;
pub use reservations::Reservations;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::HttpBody;
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Frame, SizeHint};

use self::dialect::Dialect;
use super::graphql;
use super::intake::{self, RequestBody};
use super::negotiate::{self, Streaming};
use super::packed::Packed;
use super::parts::PartsBody;
use crate::errors::{Code, Refusal};
use crate::forward;
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::pipeline::Delivery;
use crate::streams::{Op, Operation, Operations, Origin, Outbox};
use crate::traffic::Peer;

/// The header that names a reservation.
const TOKEN: HeaderName = HeaderName::from_static("x-graphql-event-stream-token");
/// Proxies must not gather what is meant to be read at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The body of an answer.
pub enum Reply {
    /// All of it is known.
    Whole(Full<Bytes>),
    /// It goes on.
    Stream(Box<StreamBody>),
    /// One of these, compressed.
    Packed(Box<Packed>),
    /// An answer that comes in parts.
    Parts(Box<PartsBody>),
}

impl Default for Reply {
    fn default() -> Reply {
        Reply::Whole(Full::default())
    }
}

impl HttpBody for Reply {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Reply::Whole(body) => Pin::new(body).poll_frame(cx),
            Reply::Stream(body) => body
                .poll_chunk(cx)
                .map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk)))),
            Reply::Packed(body) => body
                .poll_chunk(cx)
                .map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk)))),
            Reply::Parts(body) => body
                .poll_chunk(cx)
                .map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Reply::Whole(body) => body.is_end_stream(),
            Reply::Stream(_) | Reply::Packed(_) | Reply::Parts(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Reply::Whole(body) => body.size_hint(),
            Reply::Stream(_) | Reply::Packed(_) | Reply::Parts(_) => SizeHint::default(),
        }
    }
}

/// What a request wants of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// A stream of its own.
    Own(Streaming),
    /// Something about a stream that was reserved, or a reservation.
    Single,
}

/// Whether a request is for this module.
pub fn wish(parts: &Parts) -> Option<Wish> {
    if matches!(parts.method, Method::PUT | Method::DELETE) || parts.headers.contains_key(&TOKEN) {
        return Some(Wish::Single);
    }
    let accepted = negotiate::streaming(parts.headers.get_all(ACCEPT))?;
    let reserved = accepted == Streaming::EventStream && single::token_of_query(parts).is_some();
    Some(if reserved {
        Wish::Single
    } else {
        Wish::Own(accepted)
    })
}

/// Answers it.
pub async fn serve<B: RequestBody>(
    gateway: &Arc<Gateway>,
    peer: Option<Peer>,
    parts: &Parts,
    body: B,
    id: &HeaderValue,
    wish: Wish,
) -> Result<Response<Reply>, Refusal> {
    let caller = graphql::enter(gateway, parts).await?;
    if gateway.closing.is_cancelled() {
        return Err(Refusal::new(Code::ShuttingDown, "the gateway is stopping"));
    }
    let connection = Connection {
        gateway: Arc::clone(gateway),
        origin: Arc::new(Origin {
            headers: forward::lasting(&parts.headers, &gateway.rules),
            id: forward::owned(id),
            client: gateway.traffic.client(peer, &parts.headers),
        }),
        caller: Arc::new(caller),
        outbox: Outbox::new(gateway.config.websocket.queue),
        operations: Operations::default(),
    };
    match wish {
        Wish::Single => single::serve(connection, parts, body).await,
        Wish::Own(streaming) => own(connection, parts, body, streaming).await,
    }
}

/// One operation, whose answers are the stream.
async fn own<B: RequestBody>(
    connection: Connection,
    parts: &Parts,
    body: B,
    streaming: Streaming,
) -> Result<Response<Reply>, Refusal> {
    let request = match parts.method {
        Method::GET => graphql::from_get(&connection.gateway, parts)?,
        Method::POST => {
            let body = intake::post_body(&connection.gateway, parts, body).await?;
            crate::request::from_json(&body, &connection.gateway.config.limits)?
        }
        _ => {
            return Err(Refusal::new(
                Code::MethodNotAllowed,
                "use POST, or GET for queries",
            ));
        }
    };
    let claimed = connection.operations.claim("", 1);
    let op =
        claimed.map_err(|_| Refusal::new(Code::Internal, "a stream of one operation has room for it"))?;
    let mut operation = connection.operation(op, parts.method == Method::GET);
    // The protocol of multipart subscriptions knows whole answers only.
    let dialect = match streaming {
        Streaming::EventStream => Dialect::Distinct,
        Streaming::Multipart => {
            operation.delivery = Delivery::Whole;
            Dialect::Multipart
        }
    };
    let response = connection.open(dialect, None)?;
    operation.start(request);
    Ok(response)
}

/// A client that is streamed to.
#[derive(Clone)]
struct Connection {
    gateway: Arc<Gateway>,
    origin: Arc<Origin>,
    caller: Arc<Caller>,
    outbox: Arc<Outbox>,
    operations: Operations,
}

impl Connection {
    fn operation(&self, op: Arc<Op>, by_get: bool) -> Operation {
        Operation {
            gateway: Arc::clone(&self.gateway),
            origin: Arc::clone(&self.origin),
            caller: Arc::clone(&self.caller),
            outbox: Arc::clone(&self.outbox),
            operations: self.operations.clone(),
            op,
            by_get,
            delivery: Delivery::InParts,
        }
    }

    /// Begins to stream. `reserved`: the token that this stream was reserved by.
    fn open(self, dialect: Dialect, reserved: Option<Box<str>>) -> Result<Response<Reply>, Refusal> {
        let mut admitted = self.gateway.admission.admit()?;
        if let Some(user) = self.caller.subject() {
            admitted.of_user(user)?;
        }
        let body = Box::new(StreamBody::new(self, dialect, reserved, admitted));
        let mut response = Response::new(Reply::Stream(body));
        tell_streamed(response.headers_mut(), dialect.content_type());
        Ok(response)
    }
}

/// The header fields of an answer that comes bit by bit.
pub fn tell_streamed(headers: &mut HeaderMap, content_type: HeaderValue) {
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
}

/// A short answer that is no GraphQL response.
fn plain(status: StatusCode, text: String) -> Response<Reply> {
    let mut response = Response::new(Reply::Whole(Full::new(text.into())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

//! Streams on a WebSocket, one connection for each: by graphql-transport-ws, or by the older subscriptions-transport-ws
//! where that is all a subgraph speaks. Both are offered, the subgraph chooses.
//!
//! Protocols: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>,
//! <https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md>

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::super::{Client, Endpoint, SubgraphError};
use super::{UpstreamItem, http_twin};
use crate::config::SubscriptionsConfig;
use crate::forward::Forwarded;

type Socket = WebSocketStream<TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>>;

/// What is offered, by preference.
const PROTOCOLS: &str = "graphql-transport-ws, graphql-ws";
/// What the older protocol calls itself.
const OLDER: &str = "graphql-ws";
/// The one operation of a connection.
const ID: &str = "1";
/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// A stream on a WebSocket.
pub struct SocketStream {
    socket: Socket,
    dialect: Dialect,
    idle_timeout: Duration,
}

/// What the subgraph speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// graphql-transport-ws.
    Modern,
    /// subscriptions-transport-ws.
    Older,
}

impl Dialect {
    /// What begins an operation.
    fn begin(self) -> &'static str {
        match self {
            Dialect::Modern => "subscribe",
            Dialect::Older => "start",
        }
    }

    /// What ends it from this side.
    fn end(self) -> &'static str {
        match self {
            Dialect::Modern => "complete",
            Dialect::Older => "stop",
        }
    }

    /// The errors of a refusal, as a list: the older protocol tells one without.
    fn errors(self, payload: Bytes) -> Bytes {
        match (self, payload.first()) {
            (Dialect::Older, Some(b'{')) => [b"[", &payload[..], b"]"].concat().into(),
            _ => payload,
        }
    }

    /// A question for a sign of life: the older protocol has none of its own.
    fn ping(self) -> Message {
        match self {
            Dialect::Modern => Message::text(r#"{"type":"ping"}"#),
            Dialect::Older => Message::Ping(Bytes::new()),
        }
    }
}

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl SocketStream {
    /// Connects, introduces itself and subscribes. `body` is the whole JSON request.
    pub async fn open(
        client: &Client,
        endpoint: &Endpoint,
        settings: &SubscriptionsConfig,
        forwarded: &Forwarded,
        body: &[u8],
    ) -> Result<SocketStream, SubgraphError> {
        let (socket, dialect) = connect(client, endpoint, forwarded).await?;
        let mut upstream = SocketStream {
            socket,
            dialect,
            idle_timeout: settings.idle_timeout,
        };
        upstream.introduce(forwarded.authorization().as_ref()).await?;
        let body = std::str::from_utf8(body).map_err(|_| SubgraphError::Malformed("not UTF-8".to_owned()))?;
        let kind = dialect.begin();
        let subscribe = format!(r#"{{"id":"{ID}","type":"{kind}","payload":{body}}}"#);
        upstream.tell(subscribe).await?;
        Ok(upstream)
    }

    async fn introduce(&mut self, authorization: Option<&HeaderValue>) -> Result<(), SubgraphError> {
        let token = authorization.and_then(|value| value.to_str().ok());
        let init = match token {
            Some(token) => {
                serde_json::json!({"type": "connection_init", "payload": {"authorization": token}})
            }
            None if self.dialect == Dialect::Older => {
                serde_json::json!({"type": "connection_init", "payload": {}})
            }
            None => serde_json::json!({"type": "connection_init"}),
        };
        self.tell(init.to_string()).await?;
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => match kind(&text).as_deref() {
                    Some("connection_ack") => return Ok(()),
                    Some("ping") => self.tell(r#"{"type":"pong"}"#.to_owned()).await?,
                    Some("pong" | "ka") => {}
                    _ => {
                        return Err(SubgraphError::StreamRefused(
                            "an unexpected message before connection_ack".to_owned(),
                        ));
                    }
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(frame))) => {
                    return Err(SubgraphError::StreamRefused(closed(frame.as_ref())));
                }
                Some(Ok(_)) => return Err(SubgraphError::StreamRefused("a binary message".to_owned())),
                Some(Err(error)) => return Err(broken(&error)),
                None => {
                    return Err(SubgraphError::StreamRefused(
                        "the connection was closed".to_owned(),
                    ));
                }
            }
        }
    }

    /// The next item. After anything but an event there is none.
    pub async fn next(&mut self) -> UpstreamItem {
        let mut asked = false;
        loop {
            match tokio::time::timeout(self.idle_timeout, self.socket.next()).await {
                Err(_) if asked => return UpstreamItem::Lost("no sign of life".to_owned()),
                Err(_) => {
                    asked = true;
                    if let Err(error) = self.socket.send(self.dialect.ping()).await {
                        return UpstreamItem::Lost(error.to_string());
                    }
                }
                Ok(message) => {
                    asked = false;
                    if let Some(item) = self.received(message).await {
                        return item;
                    }
                }
            }
        }
    }

    async fn received(&mut self, message: Option<Result<Message, Error>>) -> Option<UpstreamItem> {
        match message {
            Some(Ok(Message::Text(text))) => self.understand(Bytes::from(text)).await,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
            Some(Ok(Message::Close(frame))) => Some(UpstreamItem::Lost(closed(frame.as_ref()))),
            Some(Ok(_)) => Some(UpstreamItem::Lost("a binary message".to_owned())),
            Some(Err(error)) => Some(UpstreamItem::Lost(error.to_string())),
            None => Some(UpstreamItem::Lost("the connection was closed".to_owned())),
        }
    }

    async fn understand(&mut self, text: Bytes) -> Option<UpstreamItem> {
        let Ok(message) = serde_json::from_slice::<Incoming<'_>>(&text) else {
            return Some(UpstreamItem::Lost(
                "a message that is not of the protocol".to_owned(),
            ));
        };
        let payload = message.payload.map(|raw| text.slice_ref(raw.get().as_bytes()));
        match (message.kind, payload) {
            ("next" | "data", Some(payload)) => Some(UpstreamItem::Event(payload)),
            ("error", Some(payload)) => Some(UpstreamItem::Refused(self.dialect.errors(payload))),
            ("complete", _) => Some(UpstreamItem::Complete),
            ("ping", _) => match self.tell(r#"{"type":"pong"}"#.to_owned()).await {
                Ok(()) => None,
                Err(error) => Some(UpstreamItem::Lost(error.to_string())),
            },
            ("pong" | "ka", _) => None,
            (other, _) => Some(UpstreamItem::Lost(format!(
                "an unexpected message of type `{}`",
                other.escape_debug()
            ))),
        }
    }

    /// Ends the subscription from this side.
    pub async fn stop(mut self) {
        let farewell = async {
            let kind = self.dialect.end();
            self.tell(format!(r#"{{"id":"{ID}","type":"{kind}"}}"#)).await?;
            if self.dialect == Dialect::Older {
                self.tell(r#"{"type":"connection_terminate"}"#.to_owned()).await?;
            }
            self.socket.close(None).await.map_err(|error| broken(&error))
        };
        if !matches!(tokio::time::timeout(FAREWELL, farewell).await, Ok(Ok(()))) {
            tracing::debug!("a subgraph's subscription did not end in an orderly way");
        }
    }

    async fn tell(&mut self, message: String) -> Result<(), SubgraphError> {
        self.socket
            .send(Message::text(message))
            .await
            .map_err(|error| broken(&error))
    }
}

async fn connect(
    client: &Client,
    endpoint: &Endpoint,
    forwarded: &Forwarded,
) -> Result<(Socket, Dialect), SubgraphError> {
    let url = &endpoint.stream_url;
    let unreachable = |error: &dyn std::fmt::Display| SubgraphError::Unreachable(error.to_string());
    let ways = &endpoint.ways;
    let stream = client.open(&http_twin(url)?, ways, false).await?;
    let mut request = url
        .to_string()
        .into_client_request()
        .map_err(|error| unreachable(&error))?;
    let fixed = ways.inserted.iter().cloned();
    // What is said afterwards is said to whom the connection was opened.
    let signature = ways.signature("GET", url, Some(b""));
    for (name, value) in fixed.chain(forwarded.fields(&ways.name)).chain(signature) {
        request.headers_mut().append(name, value);
    }
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOLS));
    let limit = Some(client.response_bytes());
    let config = WebSocketConfig::default()
        .max_message_size(limit)
        .max_frame_size(limit);
    let (socket, answer) =
        tokio_tungstenite::client_async_with_config(request, TokioIo::new(stream), Some(config))
            .await
            .map_err(|error| broken(&error))?;
    let chosen = answer.headers().get(SEC_WEBSOCKET_PROTOCOL);
    let dialect = match chosen.is_some_and(|chosen| chosen == OLDER) {
        true => Dialect::Older,
        false => Dialect::Modern,
    };
    Ok((socket, dialect))
}

fn kind(text: &str) -> Option<String> {
    serde_json::from_str::<Incoming<'_>>(text)
        .ok()
        .map(|message| message.kind.to_owned())
}

fn closed(frame: Option<&tokio_tungstenite::tungstenite::protocol::CloseFrame>) -> String {
    match frame {
        Some(frame) => format!("closed with code {} {}", u16::from(frame.code), frame.reason),
        None => "closed without a code".to_owned(),
    }
}

fn broken(error: &Error) -> SubgraphError {
    match error {
        Error::Http(response) => SubgraphError::StreamRefused(format!("HTTP status {}", response.status())),
        other => SubgraphError::Unreachable(other.to_string()),
    }
}

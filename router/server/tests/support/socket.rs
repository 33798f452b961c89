//! A WebSocket client that says exactly what a test wants said.

use std::time::Duration;

use baedal_router::Running;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A connection to the gateway.
pub struct Socket {
    inner: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What came.
#[derive(Debug, PartialEq)]
pub enum Came {
    Message(Value),
    Closed(u16, String),
    Gone,
}

impl Socket {
    /// Speaks graphql-transport-ws; no `connection_init` yet.
    pub async fn open(gateway: &Running) -> Socket {
        Socket::try_open(gateway, &[("sec-websocket-protocol", "graphql-transport-ws")])
            .await
            .expect("an upgrade")
    }

    pub async fn try_open(gateway: &Running, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
        Socket::try_open_at(&gateway.url().replace("http", "ws"), headers).await
    }

    async fn try_open_at(url: &str, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
        let mut request = url.into_client_request().expect("a request");
        for (name, value) in headers {
            request
                .headers_mut()
                .append(*name, value.parse().expect("a header value"));
        }
        let (inner, _) = tokio_tungstenite::connect_async(request).await?;
        Ok(Socket { inner })
    }

    /// Initialised, with an optional token.
    pub async fn ready(gateway: &Running, token: Option<&str>) -> Socket {
        Socket::ready_at(&gateway.url().replace("http", "ws"), token).await
    }

    /// The same at any URL.
    pub async fn ready_at(url: &str, token: Option<&str>) -> Socket {
        let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
        let mut socket = Socket::try_open_at(url, &protocol).await.expect("an upgrade");
        let payload = token.map(|token| json!({"authorization": format!("Bearer {token}")}));
        socket
            .say(json!({"type": "connection_init", "payload": payload}))
            .await;
        assert_eq!(
            socket.hear().await,
            Came::Message(json!({"type": "connection_ack"}))
        );
        socket
    }

    pub async fn say(&mut self, message: Value) {
        self.raw(Message::text(message.to_string())).await;
    }

    pub async fn raw(&mut self, message: Message) {
        self.inner.send(message).await.expect("sent");
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({"id": id, "type": "subscribe", "payload": {"query": query}}))
            .await;
    }

    /// The next message or the end; frames of the WebSocket itself are not counted.
    pub async fn hear(&mut self) -> Came {
        let wait = async {
            loop {
                match self.inner.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Came::Message(serde_json::from_str(&text).expect("JSON"));
                    }
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return Came::Closed(frame.code.into(), frame.reason.to_string());
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    _ => return Came::Gone,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait)
            .await
            .expect("nothing came in 10 s")
    }

    /// The next message.
    pub async fn message(&mut self) -> Value {
        match self.hear().await {
            Came::Message(message) => message,
            other => panic!("a message was awaited, but: {other:?}"),
        }
    }

    /// The code of the close frame that must come next.
    pub async fn close_code(&mut self) -> u16 {
        match self.hear().await {
            Came::Closed(code, _) => code,
            other => panic!("a close was awaited, but: {other:?}"),
        }
    }

    /// Whether nothing comes for a while.
    pub async fn is_silent(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.inner.next()).await.is_err()
    }
}

//! A client of the delivery feed over graphql-transport-ws.
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long the server may take to answer the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// One open subscription.
pub struct Feed {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Feed {
    /// Opens `query` as a subscription at `url` (http or ws) with a token in `connection_init`.
    ///
    /// # Errors
    /// No WebSocket there, or the connection is refused.
    pub async fn open(url: &str, token: &str, query: &str, variables: Value) -> Result<Feed> {
        let mut request = url.replacen("http", "ws", 1).into_client_request()?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let (socket, _) = timeout(HANDSHAKE, connect_async(request)).await??;
        let mut feed = Feed { socket };
        feed.send(
            json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } }),
        )
        .await?;
        let ack = timeout(HANDSHAKE, feed.message()).await??;
        ensure!(
            ack["type"] == "connection_ack",
            "the connection was not acknowledged: {ack}"
        );
        let payload = json!({ "query": query, "variables": variables });
        feed.send(json!({ "id": "1", "type": "subscribe", "payload": payload }))
            .await?;
        Ok(feed)
    }

    /// The `data` of the next event.
    ///
    /// # Errors
    /// None within `patience`, an error in its place, or the end of the subscription.
    pub async fn next(&mut self, patience: Duration) -> Result<Value> {
        let message = timeout(patience, self.message())
            .await
            .context("no event in time")??;
        match message["type"].as_str() {
            Some("next") => {
                let payload = &message["payload"];
                ensure!(payload.get("errors").is_none(), "{payload}");
                Ok(payload["data"].clone())
            }
            _ => bail!("the subscription ended: {message}"),
        }
    }

    async fn send(&mut self, message: Value) -> Result<()> {
        Ok(self.socket.send(Message::text(message.to_string())).await?)
    }

    async fn message(&mut self) -> Result<Value> {
        loop {
            match self.socket.next().await.context("the connection closed")?? {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text)?;
                    match message["type"].as_str() {
                        Some("ping") => self.send(json!({ "type": "pong" })).await?,
                        Some("pong") => {}
                        _ => return Ok(message),
                    }
                }
                Message::Close(frame) => bail!("the connection was closed: {frame:?}"),
                _ => {}
            }
        }
    }
}

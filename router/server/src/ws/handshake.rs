//! The opening handshake of a WebSocket on HTTP/1.1 ([RFC 6455, section
//! 4.2](https://www.rfc-editor.org/rfc/rfc6455#section-4.2)).

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::message::PROTOCOLS;

/// The bytes of an upgraded connection.
pub type Raw = TokioIo<Upgraded>;
/// A WebSocket of a client.
pub type Socket = WebSocketStream<Raw>;

/// A handshake that a client has begun as it should.
pub struct Handshake {
    accept: String,
    protocol: Option<&'static str>,
    upgrading: OnUpgrade,
}

impl Handshake {
    /// Reads one; `None` if it is none, or not of this version.
    pub fn read(parts: &mut Parts) -> Option<Handshake> {
        let headers = &parts.headers;
        let fits = parts.method == Method::GET
            && parts.version == Version::HTTP_11
            && names(headers, &CONNECTION).any(|name| name.eq_ignore_ascii_case("upgrade"))
            && names(headers, &UPGRADE).any(|name| name.eq_ignore_ascii_case("websocket"))
            && headers
                .get(SEC_WEBSOCKET_VERSION)
                .is_some_and(|version| version == "13");
        let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| fits)?;
        let accept = derive_accept_key(key.as_bytes());
        let offered = |known: &&str| names(headers, &SEC_WEBSOCKET_PROTOCOL).any(|name| name == *known);
        let protocol = PROTOCOLS.into_iter().find(offered);
        Some(Handshake {
            accept,
            protocol,
            upgrading: parts.extensions.remove::<OnUpgrade>()?,
        })
    }

    /// The protocol that both speak, the better one of ours first.
    pub fn protocol(&self) -> Option<&'static str> {
        self.protocol
    }

    /// The answer that switches protocols; its body is empty.
    pub fn answer<B: Default>(&self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        let accept = HeaderValue::from_str(&self.accept).expect("base64 is text");
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        if let Some(protocol) = self.protocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
        }
        response
    }

    /// The WebSocket, once the answer is sent.
    pub async fn finish(self, config: WebSocketConfig) -> Result<Socket, hyper::Error> {
        let upgraded = TokioIo::new(self.upgrading.await?);
        Ok(WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await)
    }
}

/// The names in a list, which may stand in several lines.
fn names<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    /// Whether these fields are a handshake, up to the connection itself, which there is none of here.
    fn fits(fields: &[(&str, &str)], without: &str) -> bool {
        let mut request = http::Request::get("/");
        for (name, value) in fields.iter().filter(|(name, _)| *name != without) {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        parts
            .extensions
            .insert(hyper::upgrade::on(http::Request::new(())));
        Handshake::read(&mut parts).is_some_and(|read| read.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    #[test]
    fn a_handshake_has_all_its_fields() {
        assert!(fits(GOOD, ""), "the example of section 1.3");
        for (name, _) in GOOD {
            assert!(!fits(GOOD, name), "{name}");
        }
        let newer = GOOD.iter().map(|field| match field.0 {
            "sec-websocket-version" => ("sec-websocket-version", "14"),
            _ => *field,
        });
        assert!(!fits(&newer.collect::<Vec<_>>(), ""));
    }
}

//! The messages of graphql-transport-ws, and of the older protocol of the package subscriptions-transport-ws.
//!
//! <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>
//! <https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md>

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio_tungstenite::tungstenite::Message;

use super::close::Close;
use crate::errors::GraphqlError;
use crate::streams::Out;

/// Which protocol a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// graphql-transport-ws.
    Transport,
    /// subscriptions-transport-ws, which calls itself `graphql-ws`.
    Legacy,
}

/// Names of the protocols, the better one first.
pub const PROTOCOLS: [&str; 2] = ["graphql-transport-ws", "graphql-ws"];

/// What a client says.
#[derive(Debug, PartialEq)]
pub enum Incoming {
    /// `connection_init`, with the `Authorization` value of its payload.
    Init(Option<String>),
    /// `ping`, with its payload as JSON text.
    Ping(Option<String>),
    /// `pong`.
    Pong,
    /// `subscribe`: an id and the JSON text of the request.
    Subscribe(String, String),
    /// `complete`.
    Complete(String),
    /// The older protocol's word for the end of a connection.
    Terminate,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl Dialect {
    /// That of one of [`PROTOCOLS`].
    pub fn of_name(protocol: &str) -> Dialect {
        match protocol == PROTOCOLS[0] {
            true => Dialect::Transport,
            false => Dialect::Legacy,
        }
    }

    /// Reads a message. Anything else closes the connection with 4400.
    pub fn read(self, text: &str) -> Result<Incoming, Close> {
        let envelope: Envelope<'_> = serde_json::from_str(text)
            .map_err(|_| Close::Invalid("Invalid message: not a JSON object of the protocol"))?;
        let id = envelope
            .id
            .filter(|id| !id.is_empty())
            .ok_or(Close::Invalid("Invalid message: `id` is missing"));
        let payload = envelope.payload;
        match (self, envelope.kind.as_deref()) {
            (_, Some("connection_init")) => Ok(Incoming::Init(authorization(payload)?)),
            (Dialect::Transport, Some("ping")) => Ok(Incoming::Ping(object(payload)?)),
            (Dialect::Transport, Some("pong")) => object(payload).map(|_| Incoming::Pong),
            (Dialect::Transport, Some("complete")) | (Dialect::Legacy, Some("stop")) => {
                id.map(Incoming::Complete)
            }
            (Dialect::Transport, Some("subscribe")) | (Dialect::Legacy, Some("start")) => {
                let request = payload.ok_or(Close::Invalid("Invalid message: `payload` is missing"))?;
                Ok(Incoming::Subscribe(id?, request.get().to_owned()))
            }
            (Dialect::Legacy, Some("connection_terminate")) => Ok(Incoming::Terminate),
            _ => Err(Close::Invalid("Invalid message: unknown `type`")),
        }
    }

    /// What is said when a connection is accepted.
    pub fn acknowledged(self) -> Vec<Out> {
        let ack = Out::Text(r#"{"type":"connection_ack"}"#.to_owned());
        match self {
            Dialect::Transport => vec![ack],
            Dialect::Legacy => vec![ack, keep_alive()],
        }
    }

    /// What is said, besides asking for a sign of life, to a client from time to time.
    pub fn heartbeat(self) -> Option<Out> {
        (self == Dialect::Legacy).then(keep_alive)
    }

    /// The message of something that goes to the client.
    pub fn write(self, out: Out) -> Message {
        let next = match self {
            Dialect::Transport => "next",
            Dialect::Legacy => "data",
        };
        match out {
            Out::Next(op, event) => {
                let begin = format!(r#"{{"id":{},"type":"{next}","payload":"#, quoted(&op.id));
                Message::Text(event.message(&begin, "}"))
            }
            Out::Error(op, errors) => {
                let errors = String::from_utf8_lossy(&errors);
                let payload = match self {
                    Dialect::Transport => errors.into_owned(),
                    Dialect::Legacy => first(&errors),
                };
                let id = quoted(&op.id);
                Message::text(format!(r#"{{"id":{id},"type":"error","payload":{payload}}}"#))
            }
            Out::Complete(op) => Message::text(format!(r#"{{"id":{},"type":"complete"}}"#, quoted(&op.id))),
            Out::Text(text) => Message::text(text),
            Out::Ping => Message::Ping(bytes::Bytes::new()),
        }
    }
}

fn keep_alive() -> Out {
    Out::Text(r#"{"type":"ka"}"#.to_owned())
}

/// The older protocol knows one error.
fn first(errors: &str) -> String {
    let errors: Vec<&RawValue> = serde_json::from_str(errors).unwrap_or_default();
    let first = errors.first().map(|error| error.get().to_owned());
    first.unwrap_or_else(|| r#"{"message":"unknown error"}"#.to_owned())
}

/// A payload must be an object, if there is one.
fn object(payload: Option<&RawValue>) -> Result<Option<String>, Close> {
    match payload.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(text) if text.starts_with('{') => Ok(Some(text.to_owned())),
        Some(_) => Err(Close::Invalid("Invalid message: `payload` must be an object")),
    }
}

/// `{"authorization": "Bearer …"}`, its key in any case.
fn authorization(payload: Option<&RawValue>) -> Result<Option<String>, Close> {
    let Some(text) = object(payload)? else {
        return Ok(None);
    };
    let members: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|_| Close::Invalid("Invalid message: `payload` must be an object"))?;
    let mut found = members
        .into_iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    match (found.next(), found.next()) {
        (None, _) | (Some((_, Value::Null)), None) => Ok(None),
        (Some((_, Value::String(token))), None) => Ok(Some(token)),
        _ => Err(Close::Invalid(
            "Invalid message: `authorization` must be one string",
        )),
    }
}

/// `pong`, with the payload of its `ping`.
pub fn pong(payload: Option<&str>) -> Out {
    Out::Text(match payload {
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#),
        None => r#"{"type":"pong"}"#.to_owned(),
    })
}

/// Errors of the gateway, as an array in JSON.
pub fn errors(errors: &[GraphqlError]) -> bytes::Bytes {
    serde_json::to_vec(errors)
        .expect("strings and numbers are JSON")
        .into()
}

fn quoted(id: &str) -> Value {
    Value::String(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_protocol_are_read() {
        let read = |text| Dialect::Transport.read(text).expect(text);
        assert_eq!(read(r#"{"type":"connection_init"}"#), Incoming::Init(None));
        let init = r#"{"type":"connection_init","payload":{"Authorization":"Bearer x"}}"#;
        assert_eq!(read(init), Incoming::Init(Some("Bearer x".into())));
        assert_eq!(
            read(r#"{"type":"ping","payload":{"a":1}}"#),
            Incoming::Ping(Some(r#"{"a":1}"#.into()))
        );
        let subscribe = r#"{"id":"1","type":"subscribe","payload":{"query":"{a}"}}"#;
        assert_eq!(
            read(subscribe),
            Incoming::Subscribe("1".into(), r#"{"query":"{a}"}"#.into())
        );
    }

    #[test]
    fn anything_else_is_4400() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"hello"}"#,
            r#"{"type":1}"#,
            r#"{"type":"start","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","payload":{}}"#,
            r#"{"type":"subscribe","id":"","payload":{}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"ping","payload":1}"#,
            r#"{"type":"connection_init","payload":[]}"#,
            r#"{"type":"connection_init","payload":{"authorization":1}}"#,
            r#"{"type":"connection_init","payload":{"authorization":"a","Authorization":"b"}}"#,
        ] {
            let read = Dialect::Transport.read(text);
            assert!(matches!(read, Err(Close::Invalid(_))), "{text}");
        }
    }

    #[test]
    fn the_older_protocol_has_words_of_its_own() {
        let read = |text| Dialect::Legacy.read(text).expect(text);
        assert_eq!(
            read(r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#),
            Incoming::Subscribe("1".into(), r#"{"query":"{a}"}"#.into())
        );
        assert_eq!(
            read(r#"{"type":"stop","id":"1"}"#),
            Incoming::Complete("1".into())
        );
        assert_eq!(read(r#"{"type":"connection_terminate"}"#), Incoming::Terminate);
        for modern in [r#"{"type":"ping"}"#, r#"{"type":"complete","id":"1"}"#] {
            assert!(Dialect::Legacy.read(modern).is_err(), "{modern}");
        }
    }
}

//! The messages of graphql-transport-ws.

use axum::extract::ws::Message;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::close::Close;
use crate::errors::GraphqlError;

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
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl Incoming {
    /// Reads a message. Anything else closes the connection with 4400.
    pub fn read(text: &str) -> Result<Incoming, Close> {
        let envelope: Envelope<'_> = serde_json::from_str(text)
            .map_err(|_| Close::Invalid("Invalid message: not a JSON object of the protocol"))?;
        let id = envelope
            .id
            .filter(|id| !id.is_empty())
            .ok_or(Close::Invalid("Invalid message: `id` is missing"));
        let payload = envelope.payload;
        match envelope.kind.as_deref() {
            Some("connection_init") => Ok(Incoming::Init(authorization(payload)?)),
            Some("ping") => Ok(Incoming::Ping(object(payload)?)),
            Some("pong") => object(payload).map(|_| Incoming::Pong),
            Some("complete") => id.map(Incoming::Complete),
            Some("subscribe") => {
                let request = payload.ok_or(Close::Invalid("Invalid message: `payload` is missing"))?;
                Ok(Incoming::Subscribe(id?, request.get().to_owned()))
            }
            _ => Err(Close::Invalid("Invalid message: unknown `type`")),
        }
    }
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

/// `connection_ack`.
pub fn ack() -> Message {
    Message::text(r#"{"type":"connection_ack"}"#)
}

/// `pong`, with the payload of its `ping`.
pub fn pong(payload: Option<&str>) -> Message {
    Message::text(match payload {
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#),
        None => r#"{"type":"pong"}"#.to_owned(),
    })
}

/// `next`, with a GraphQL response.
pub fn next(id: &str, response: &[u8]) -> Message {
    enveloped(id, "next", &String::from_utf8_lossy(response))
}

/// `error`, with an array of errors as JSON text.
pub fn error(id: &str, errors: &[u8]) -> Message {
    enveloped(id, "error", &String::from_utf8_lossy(errors))
}

/// `error`, with errors of the gateway.
pub fn errors(id: &str, errors: &[GraphqlError]) -> Message {
    error(
        id,
        &serde_json::to_vec(errors).expect("strings and numbers are JSON"),
    )
}

/// `complete`.
pub fn complete(id: &str) -> Message {
    Message::text(format!(r#"{{"id":{},"type":"complete"}}"#, quoted(id)))
}

fn enveloped(id: &str, kind: &str, payload: &str) -> Message {
    Message::text(format!(
        r#"{{"id":{},"type":"{kind}","payload":{payload}}}"#,
        quoted(id)
    ))
}

fn quoted(id: &str) -> Value {
    Value::String(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_protocol_are_read() {
        let read = |text| Incoming::read(text).expect(text);
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
            r#"{"type":"subscribe","payload":{}}"#,
            r#"{"type":"subscribe","id":"","payload":{}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"ping","payload":1}"#,
            r#"{"type":"connection_init","payload":[]}"#,
            r#"{"type":"connection_init","payload":{"authorization":1}}"#,
            r#"{"type":"connection_init","payload":{"authorization":"a","Authorization":"b"}}"#,
        ] {
            assert!(matches!(Incoming::read(text), Err(Close::Invalid(_))), "{text}");
        }
    }
}

//! Why a connection is closed: the protocol's codes, and three of our own (4413, and those of RFC 6455).

use std::sync::Arc;

use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Utf8Bytes};

/// A reason to close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Close {
    /// 1001: the gateway stops; connect again.
    GoingAway,
    /// 1002: not a frame of a WebSocket.
    Frame,
    /// 1007: a text that is not UTF-8.
    NotText,
    /// 1008: more messages than `websocket.messages_per_second`.
    Flood,
    /// 1009: a message larger than `websocket.message_bytes`.
    TooBig,
    /// 1013: the token cannot be checked now.
    TryAgainLater,
    /// 4400: not a message of the protocol.
    Invalid(&'static str),
    /// 4401: an operation before `connection_ack`.
    Unauthorized,
    /// 4403: the token is refused, or has expired.
    Forbidden(&'static str),
    /// 4406: the client does not speak graphql-transport-ws.
    Subprotocol,
    /// 4408: no `connection_init` in time.
    InitTimeout,
    /// 4409: the id is in use.
    InUse(String),
    /// 4413: the client reads more slowly than events come.
    SlowConsumer,
    /// 4414: more connections than `websocket.max_connections_per_user`.
    TooManyConnections,
    /// 4429: a second `connection_init`.
    TooManyInits,
}

/// A close frame has room for 125 bytes, of which two are the code.
const LONGEST_REASON: usize = 123;

impl Close {
    /// The reason to close for what was read in place of a message; `None` if the connection is gone.
    pub fn of(error: &Error) -> Option<Close> {
        match error {
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
            Error::Protocol(_) => Some(Close::Frame),
            Error::Utf8(_) => Some(Close::NotText),
            Error::Capacity(_) => Some(Close::TooBig),
            _ => None,
        }
    }

    /// Whether what the client sent cannot be read any further.
    pub fn is_of_framing(&self) -> bool {
        matches!(self, Close::Frame | Close::NotText | Close::TooBig)
    }

    /// The close frame. Where the client can come again with a cursor, its reason ends with a JSON object of cursors by
    /// operation id, as many as there is room for.
    pub fn frame(&self, cursors: &[(Box<str>, Arc<str>)]) -> CloseFrame {
        let (code, reason) = match self {
            Close::GoingAway => (1001, "Going away".to_owned()),
            Close::Frame => (1002, "Not a frame of RFC 6455".to_owned()),
            Close::NotText => (1007, "A text that is not UTF-8".to_owned()),
            Close::Flood => (1008, "Too many messages".to_owned()),
            Close::TooBig => (1009, "Message too big".to_owned()),
            Close::TryAgainLater => (
                1013,
                "The token cannot be checked now, try again later".to_owned(),
            ),
            Close::Invalid(why) => (4400, (*why).to_owned()),
            Close::Unauthorized => (4401, "Unauthorized".to_owned()),
            Close::Forbidden(why) => (4403, (*why).to_owned()),
            Close::Subprotocol => (4406, "Subprotocol not acceptable".to_owned()),
            Close::InitTimeout => (4408, "Connection initialisation timeout".to_owned()),
            Close::InUse(id) => (4409, format!("Subscriber for {id} already exists")),
            Close::SlowConsumer => (4413, "SLOW_CONSUMER".to_owned()),
            Close::TooManyConnections => (4414, "TOO_MANY_CONNECTIONS".to_owned()),
            Close::TooManyInits => (4429, "Too many initialisation requests".to_owned()),
        };
        let told = matches!(self, Close::GoingAway | Close::Forbidden(_) | Close::SlowConsumer);
        let reason = if told {
            with_cursors(reason, cursors)
        } else {
            reason
        };
        CloseFrame {
            code: code.into(),
            reason: shortened(reason),
        }
    }
}

/// Appends `{"id":"cursor",…}`, as much of it as fits.
fn with_cursors(reason: String, cursors: &[(Box<str>, Arc<str>)]) -> String {
    let mut members = String::new();
    for (id, cursor) in cursors {
        let comma = if members.is_empty() { "" } else { "," };
        let member = format!("{comma}{}:{}", json(id), json(cursor));
        if reason.len() + members.len() + member.len() + " {}".len() <= LONGEST_REASON {
            members.push_str(&member);
        }
    }
    match members.is_empty() {
        true => reason,
        false => format!("{reason} {{{members}}}"),
    }
}

fn json(text: &str) -> serde_json::Value {
    text.into()
}

fn shortened(mut reason: String) -> Utf8Bytes {
    if reason.len() > LONGEST_REASON {
        reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
    }
    reason.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_is_cut_at_a_character() {
        let frame = Close::InUse("배".repeat(100)).frame(&[]);
        assert!(frame.reason.len() <= LONGEST_REASON);
        assert_eq!(u16::from(frame.code), 4409);
    }

    #[test]
    fn cursors_are_told_as_long_as_there_is_room() {
        let cursor = |id: &str, cursor: &str| (Box::from(id), Arc::from(cursor));
        let frame = Close::SlowConsumer.frame(&[cursor("a\"", "31"), cursor("b", "32")]);
        assert_eq!(frame.reason.as_str(), r#"SLOW_CONSUMER {"a\"":"31","b":"32"}"#);
        let frame = Close::GoingAway.frame(&[cursor("a", &"x".repeat(200)), cursor("b", "32")]);
        assert_eq!(frame.reason.as_str(), r#"Going away {"b":"32"}"#);
        assert_eq!(Close::SlowConsumer.frame(&[]).reason.as_str(), "SLOW_CONSUMER");
    }
}

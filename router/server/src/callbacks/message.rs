//! What a subgraph says of a subscription.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::registry::Heard;

/// A message, whosoever it is of.
pub struct Message {
    /// The subscription that it says it is about.
    pub id: String,
    /// The secret that it claims to know.
    pub verifier: String,
    /// What it says.
    pub heard: Heard,
}

#[derive(Deserialize)]
struct Read<'a> {
    kind: &'a str,
    action: &'a str,
    id: String,
    verifier: String,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
}

/// Reads one. The error is for whoever sent it.
pub fn read(body: &Bytes) -> Result<Message, String> {
    let read: Read<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if read.kind != "subscription" {
        return Err("`kind` must be `subscription`".to_owned());
    }
    let own = |raw: &RawValue| body.slice_ref(raw.get().as_bytes());
    let heard = match read.action {
        "check" => Heard::Check,
        "next" => match read.payload {
            Some(payload) if payload.get().starts_with('{') => Heard::Next(own(payload)),
            _ => return Err("`payload` must be a GraphQL response".to_owned()),
        },
        "complete" => Heard::Complete(read.errors.filter(|errors| errors.get() != "[]").map(own)),
        _ => return Err("`action` must be `check`, `next` or `complete`".to_owned()),
    };
    Ok(Message {
        id: read.id,
        verifier: read.verifier,
        heard,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Heard, String> {
        read(&Bytes::copy_from_slice(text.as_bytes())).map(|message| message.heard)
    }

    #[test]
    fn messages_are_read() {
        let message = |rest: &str| {
            told(&format!(
                r#"{{"kind":"subscription","id":"i","verifier":"v",{rest}}}"#
            ))
        };
        assert_eq!(message(r#""action":"check""#), Ok(Heard::Check));
        let next = Heard::Next(Bytes::from_static(br#"{"data":{"a":1}}"#));
        assert_eq!(message(r#""action":"next","payload":{"data":{"a":1}}"#), Ok(next));
        assert_eq!(message(r#""action":"complete""#), Ok(Heard::Complete(None)));
        assert_eq!(
            message(r#""action":"complete","errors":[]"#),
            Ok(Heard::Complete(None))
        );
        let refused = Heard::Complete(Some(Bytes::from_static(br#"[{"message":"x"}]"#)));
        assert_eq!(
            message(r#""action":"complete","errors":[{"message":"x"}]"#),
            Ok(refused)
        );
        for bad in [
            r#""action":"next""#,
            r#""action":"next","payload":[1]"#,
            r#""action":"heartbeat""#,
            r#""action":1"#,
        ] {
            assert!(message(bad).is_err(), "{bad}");
        }
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"kind":"query","action":"check","id":"i","verifier":"v"}"#,
        ] {
            assert!(told(bad).is_err(), "{bad}");
        }
    }
}

//! How a mock subgraph misbehaves, for the operations that say so.
use std::io;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

/// A fault of a subgraph: what becomes of its right answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// `_entities` lacks its last item.
    Short,
    /// `_entities` has one item too many.
    Long,
    /// `_entities` comes back to front.
    Shuffled,
    /// Every object says that it is of this type.
    Typename(String),
    /// The JSON ends in the middle.
    Truncated,
    /// A web page, with status 200.
    Html,
    /// This body.
    Body(String),
    /// This status, with the right answer.
    Status(u16),
    /// The connection ends before the answer does.
    Down,
    /// No answer within the gateway's patience.
    Slow,
}

/// Longer than any timeout a case sets.
const PATIENCE: Duration = Duration::from_secs(20);

impl Fault {
    /// The answer with the fault.
    pub async fn spoil(self, mut answer: Value) -> Response {
        match self {
            Fault::Short => entities(&mut answer, |items| drop(items.pop())),
            Fault::Long => entities(&mut answer, |items| items.extend(items.first().cloned())),
            Fault::Shuffled => entities(&mut answer, |items| items.reverse()),
            Fault::Typename(name) => rename(&mut answer, &name),
            Fault::Truncated => {
                let text = answer.to_string();
                return text[..text.len() / 2].to_owned().into_response();
            }
            Fault::Html => return Html("<html><body>502 Bad Gateway</body></html>").into_response(),
            Fault::Body(text) => return text.into_response(),
            Fault::Status(code) => {
                let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                return (status, Json(answer)).into_response();
            }
            Fault::Down => {
                let broken: [io::Result<Bytes>; 1] = [Err(io::ErrorKind::ConnectionReset.into())];
                return Body::from_stream(stream::iter(broken)).into_response();
            }
            Fault::Slow => tokio::time::sleep(PATIENCE).await,
        }
        Json(answer).into_response()
    }
}

fn entities(answer: &mut Value, change: impl Fn(&mut Vec<Value>)) {
    let members = answer["data"].as_object_mut().into_iter().flatten();
    members
        .filter_map(|(_, value)| value.as_array_mut())
        .for_each(change);
}

fn rename(value: &mut Value, type_name: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, type_name)),
        Value::Object(members) => {
            if let Some(name) = members.get_mut("__typename") {
                *name = json!(type_name);
            }
            members.values_mut().for_each(|value| rename(value, type_name));
        }
        _ => {}
    }
}

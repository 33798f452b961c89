//! Dropping by HTTP, on an address of its own (`cache.responses.purge.listen`): whoever can drop what is kept can make
//! subgraphs answer everything, so it takes a secret, and clients should not reach the address at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Responses, Tag};
use crate::errors::purge_codes as codes;

/// Bytes of a request.
const BODY_BYTES: usize = 256 * 1024;

/// What to drop.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Wish {
    /// Everything.
    All {},
    /// Answers of a subgraph.
    Subgraph {
        /// Its name.
        subgraph: String,
    },
    /// Answers with something of a type.
    Type {
        /// Its name.
        r#type: String,
    },
    /// Answers with an entity.
    Entity {
        /// Its type.
        r#type: String,
        /// The plain fields of one of its keys.
        key: BTreeMap<String, Value>,
    },
    /// Answers with a tag.
    Tag {
        /// As `@cacheTag` or the subgraph gave it.
        tag: String,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wishes {
    Many(Vec<Value>),
    One(Value),
}

impl Wish {
    /// The tag of what to drop; `None` for everything.
    fn tag(self) -> Result<Option<Tag>, String> {
        Ok(Some(match self {
            Wish::All {} => return Ok(None),
            Wish::Subgraph { subgraph } => Tag::Subgraph(subgraph.into()),
            Wish::Type { r#type } => Tag::Type(r#type.into()),
            Wish::Tag { tag } => Tag::Named(tag.into()),
            Wish::Entity { r#type, key } => {
                let members = key.iter().map(|(name, value)| (name.as_str(), value));
                let tag = Tag::entity(&r#type, members);
                tag.ok_or("`key` must have fields, and scalars as values, e.g. {\"id\": \"7\"}")?
            }
        }))
    }
}

/// What a body asks for; `None` in the list for everything.
fn read(body: &[u8]) -> Result<Vec<Option<Tag>>, String> {
    let wishes: Wishes =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let wishes = match wishes {
        Wishes::Many(wishes) => wishes,
        Wishes::One(wish) => vec![wish],
    };
    let tag = |wish: Value| {
        let wish: Wish = serde_json::from_value(wish).map_err(|error| error.to_string())?;
        wish.tag()
    };
    wishes.into_iter().map(tag).collect()
}

/// Finds the cache of now, which a reload may have put in the place of another.
pub type Current = Box<dyn Fn() -> Option<Arc<Responses>> + Send + Sync>;

struct Desk {
    current: Current,
    secret: String,
}

/// Takes wishes until the gateway stops.
pub async fn serve(listener: TcpListener, current: Current, secret: String, closing: CancellationToken) {
    let routes = Router::new()
        .route("/purge", post(purge))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(Arc::new(Desk { current, secret }));
    let serving = axum::serve(listener, routes).with_graceful_shutdown(closing.cancelled_owned());
    if let Err(error) = serving.await {
        tracing::error!(%error, "the response cache is purged no more");
    }
}

async fn purge(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_known(&headers, &desk.secret) {
        let why = "send `Authorization: Bearer …` with the secret of cache.responses.purge.secret";
        let mut response = refuse(StatusCode::UNAUTHORIZED, codes::UNAUTHORIZED, why);
        let challenge = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        return response;
    }
    let tags = match read(&body) {
        Ok(tags) => tags,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, codes::INVALID, &why),
    };
    let all = tags.iter().cloned().collect::<Option<Vec<Tag>>>();
    let dropped = match ((desk.current)(), all) {
        (Some(responses), Some(tags)) => responses.drop_tags("http", &tags).await,
        (Some(responses), None) => responses.drop_all("http").await,
        (None, _) => Ok(Some(0)),
    };
    let Ok(dropped) = dropped else {
        let why = "Redis is away: this gateway drops it, and gives out nothing until then; ask again to be sure of the others";
        return refuse(StatusCode::SERVICE_UNAVAILABLE, codes::UNAVAILABLE, why);
    };
    tracing::info!(wishes = tags.len(), dropped, "the response cache was purged");
    Json(json!({ "dropped": dropped })).into_response()
}

/// Compared in a time that does not tell how much of it is right.
fn is_known(headers: &HeaderMap, secret: &str) -> bool {
    let given = headers
        .get(AUTHORIZATION)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let given = given.strip_prefix(b"Bearer ").unwrap_or_default();
    bool::from(given.ct_eq(secret.as_bytes()))
}

fn refuse(status: StatusCode, code: &str, why: &str) -> Response {
    let body = json!({ "errors": [{ "message": why, "extensions": { "code": code } }] });
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_one_or_many() {
        let one = read(br#"{"kind": "subgraph", "subgraph": "a"}"#);
        assert_eq!(one, Ok(vec![Some(Tag::Subgraph("a".into()))]));
        let many = read(
            br#"[{"kind": "type", "type": "T"}, {"kind": "tag", "tag": "x"},
                 {"kind": "entity", "type": "T", "key": {"b": 1, "a": "2"}}, {"kind": "all"}]"#,
        );
        let entity = Tag::Entity("T".into(), r#"{"a":"2","b":"1"}"#.into());
        let wanted = vec![
            Some(Tag::Type("T".into())),
            Some(Tag::Named("x".into())),
            Some(entity),
            None,
        ];
        assert_eq!(many, Ok(wanted));
    }

    #[test]
    fn what_is_no_wish_is_refused_with_a_reason() {
        for (body, part) in [
            (&b"nonsense"[..], "not JSON"),
            (br#"{"kind": "tags", "tag": "x"}"#, "unknown variant"),
            (br#"{"kind": "tag"}"#, "missing field"),
            (br#"{"kind": "tag", "tag": "x", "more": 1}"#, "unknown field"),
            (br#"{"kind": "entity", "type": "T", "key": {}}"#, "key"),
            (br#"{"kind": "entity", "type": "T", "key": {"a": {}}}"#, "scalars"),
        ] {
            let why = read(body).expect_err("refused");
            assert!(why.contains(part), "{why}");
        }
    }
}

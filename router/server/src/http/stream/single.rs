//! The single connection mode: a stream is reserved by PUT, opened by GET, used by POST and DELETE.

use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde::Deserialize;
use uuid::Uuid;

use super::dialect::Dialect;
use super::{Connection, Reply, TOKEN, plain, reservations};
use crate::errors::{Code, Refusal};
use crate::http::intake::{self, RequestBody};
use crate::pipeline::{self, Delivery};
use crate::request;
use crate::streams::Claim;
use crate::traffic::Who;

#[derive(Deserialize)]
struct Asked {
    extensions: Option<Extensions>,
}

#[derive(Deserialize)]
struct Extensions {
    #[serde(rename = "operationId")]
    operation_id: Option<String>,
}

/// Answers any of its requests. `asking` is the connection of this request, not the stream's.
pub async fn serve<B: RequestBody>(
    asking: Connection,
    parts: &Parts,
    body: B,
) -> Result<Response<Reply>, Refusal> {
    if parts.method == Method::PUT {
        return reserve(asking);
    }
    let token = token(parts).ok_or_else(|| {
        let text = "name the event stream by the header `X-GraphQL-Event-Stream-Token`, or `?token=`";
        Refusal::new(Code::BadRequest, text)
    })?;
    match parts.method {
        Method::GET => open(&asking, &token),
        Method::POST => execute(asking, parts, body, &token).await,
        Method::DELETE => stop(&asking, parts, &token),
        _ => Err(Refusal::new(
            Code::MethodNotAllowed,
            "use PUT, GET, POST or DELETE",
        )),
    }
}

fn reserve(connection: Connection) -> Result<Response<Reply>, Refusal> {
    let token = Uuid::from_bytes(rand::random()).simple().to_string();
    let gateway = std::sync::Arc::clone(&connection.gateway);
    gateway.reservations.reserve(token.as_str().into(), connection)?;
    Ok(plain(StatusCode::CREATED, token))
}

/// The token is the ticket: a browser's `EventSource` sends no header with it.
fn open(asking: &Connection, token: &str) -> Result<Response<Reply>, Refusal> {
    let connection = asking.gateway.reservations.fulfil(&asking.gateway, token)?;
    let opened = connection.open(Dialect::Single, Some(token.into()));
    opened.inspect_err(|_| asking.gateway.reservations.release(token))
}

async fn execute<B: RequestBody>(
    asking: Connection,
    parts: &Parts,
    body: B,
    token: &str,
) -> Result<Response<Reply>, Refusal> {
    let stream = find(&asking, token)?;
    let limits = &asking.gateway.config.limits;
    let body = intake::post_body(&asking.gateway, parts, body).await?;
    let request = request::from_json(&body, limits)?;
    let asked: Option<Asked> = serde_json::from_slice(&body).ok();
    let id = asked
        .and_then(|asked| asked.extensions?.operation_id)
        .ok_or_else(|| {
            let text = "say which operation it is: `extensions.operationId`, a string";
            Refusal::new(Code::BadRequest, text)
        })?;
    let who = Who {
        caller: &stream.caller,
        client: asking.origin.client.as_ref(),
    };
    asking.gateway.traffic.admit(&who).await?;
    let (prepared, request) =
        pipeline::prepare_asked(&stream.gateway, who, request, Delivery::InParts).await?;
    let most = stream.gateway.config.websocket.max_operations;
    let op = stream.operations.claim(&id, most).map_err(|claim| match claim {
        Claim::InUse => Refusal::new(Code::StreamConflict, "an operation with this id is under way"),
        Claim::TooMany(refusal) => refusal,
    })?;
    stream.operation(op, false).start_prepared(prepared, request);
    Ok(plain(StatusCode::ACCEPTED, String::new()))
}

fn stop(asking: &Connection, parts: &Parts, token: &str) -> Result<Response<Reply>, Refusal> {
    let stream = find(asking, token)?;
    let id = query_value(parts, "operationId")
        .ok_or_else(|| Refusal::new(Code::BadRequest, "say which operation it is: `?operationId=`"))?;
    stream.operations.stop(&id);
    Ok(plain(StatusCode::OK, String::new()))
}

/// The stream of a token, for whom it was reserved: who has found a token out has not its client's rights.
fn find(asking: &Connection, token: &str) -> Result<Connection, Refusal> {
    let reservations = &asking.gateway.reservations;
    let stream = reservations
        .find(&asking.gateway, token)
        .ok_or_else(reservations::unknown)?;
    if stream.caller.authorization != asking.caller.authorization {
        let text = "this event stream was reserved with another token; reserve one with yours";
        return Err(Refusal::new(Code::InvalidToken, text));
    }
    Ok(stream)
}

fn token(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(&TOKEN).and_then(|value| value.to_str().ok());
    header.map(str::to_owned).or_else(|| token_of_query(parts))
}

/// The token in the query string.
pub fn token_of_query(parts: &Parts) -> Option<String> {
    query_value(parts, "token")
}

fn query_value(parts: &Parts, name: &str) -> Option<String> {
    let query = parts.uri.query()?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

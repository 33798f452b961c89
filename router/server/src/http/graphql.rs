//! The GraphQL endpoint: <https://graphql.github.io/graphql-over-http/draft/>

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER,
    UPGRADE, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use super::asking::{Asking, Ids};
use super::intake::{self, RequestBody};
use super::negotiate::{self, Format};
use super::parts::{Served, Spec};
use super::stream::Reply;
use super::{batch, csrf, packed, stream, upload};
use crate::errors::{Code, Refusal};
use crate::forward::{self, Forwarded, REQUEST_ID, Wanted};
use crate::gateway::Gateway;
use crate::jwt::Caller;
use crate::observe::{Answered, Watch};
use crate::page;
use crate::request::{self, Asked};
use crate::sharing;
use crate::traffic::{Peer, Who};
use crate::ws;

/// What goes out.
pub type Answer = Response<Reply>;

/// The endpoint among the routes.
pub async fn routed(State(gateway): State<Arc<Gateway>>, request: HttpRequest) -> Response<Body> {
    answered(gateway, request).await
}

/// The endpoint as a service has it.
pub async fn answered(gateway: Arc<Gateway>, request: HttpRequest) -> Response<Body> {
    let peer = request.extensions().get::<Peer>().copied();
    handle(gateway, peer, request).await.map(Body::new)
}

/// Answers whatever comes to the endpoint.
///
/// The future is moved with every request, so what is rarely needed in it is boxed, here and below.
pub async fn handle<B: RequestBody>(
    gateway: Arc<Gateway>,
    peer: Option<Peer>,
    request: http::Request<B>,
) -> Answer {
    match packed::wish(request.headers(), &gateway.config.compression) {
        None => plain(gateway, peer, request).await,
        Some(coding) => {
            let answer = plain(Arc::clone(&gateway), peer, request).await;
            packed::answer(coding, answer, &gateway.config.compression)
        }
    }
}

/// The answer to what is no request that could be read.
pub fn refused(gateway: &Gateway, refusal: Refusal) -> Answer {
    gateway.refused(&refusal);
    respond(&Err(refusal), Format::GraphqlResponse)
}

/// The answer, not compressed.
async fn plain<B: RequestBody>(
    gateway: Arc<Gateway>,
    peer: Option<Peer>,
    request: http::Request<B>,
) -> Answer {
    let (parts, body) = request.into_parts();
    let id = forward::request_id(&parts.headers);
    let is_get = parts.method == Method::GET;
    if is_get
        && parts
            .headers
            .get(UPGRADE)
            .is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
    {
        return Box::pin(upgrade(gateway, peer, parts, id)).await;
    }
    if let Some(task) = page::task(&gateway, &parts) {
        let answering = page::serve(&gateway, task, peer, &parts, body);
        let mut response = Box::pin(answering).await.unwrap_or_else(|refusal| {
            gateway.refused(&refusal);
            respond(&Err(refusal), Format::Json)
        });
        response.headers_mut().insert(REQUEST_ID, id);
        return response;
    }
    if let Some(wish) = stream::wish(&parts) {
        let streaming = stream::serve(&gateway, peer, &parts, body, &id, wish);
        let outcome = Box::pin(streaming).await;
        let mut response = outcome.unwrap_or_else(|refusal| {
            let format = negotiate::format(&parts.headers).unwrap_or(Format::GraphqlResponse);
            gateway.refused(&refusal);
            respond(&Err(refusal), format)
        });
        response.headers_mut().insert(REQUEST_ID, id);
        return response;
    }
    let spec = super::parts::accepted(&parts.headers);
    if let Some(spec) = spec.filter(|_| !upload::is_upload(&gateway, &parts.headers)) {
        return Box::pin(in_parts(gateway, peer, parts, body, id, spec)).await;
    }
    at_once(gateway, peer, parts, body, id).await
}

/// For a client that takes an answer in parts: what defers nothing is answered as for any other.
async fn in_parts<B: RequestBody>(
    gateway: Arc<Gateway>,
    peer: Option<Peer>,
    mut parts: Parts,
    body: B,
    id: HeaderValue,
    spec: Spec,
) -> Answer {
    let served = super::parts::serve(&gateway, peer, &parts, body, &id, spec).await;
    let mut response = match served {
        Ok(Served::InParts(response)) => response,
        Ok(Served::Not(body)) => {
            // It was unpacked.
            parts.headers.remove(CONTENT_ENCODING);
            parts.headers.remove(CONTENT_LENGTH);
            return at_once(gateway, peer, parts, Full::new(body), id).await;
        }
        Err(refusal) => {
            let format = negotiate::format(&parts.headers).unwrap_or(Format::GraphqlResponse);
            respond(&Err(refusal), format)
        }
    };
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

async fn at_once<B: RequestBody>(
    gateway: Arc<Gateway>,
    peer: Option<Peer>,
    parts: Parts,
    body: B,
    id: HeaderValue,
) -> Answer {
    let watch = Watch::begin(&gateway, &parts.headers);
    let format = negotiate::format(&parts.headers);
    let carried = gateway.wanted.as_ref().map(Wanted::begin);
    let outcome = match format {
        None => Err(not_acceptable()),
        Some(_) => {
            let ids = Ids::new(&id, &watch, carried.as_ref());
            answer(&gateway, peer, parts, body, ids).await
        }
    };
    let format = format.unwrap_or(Format::Json);
    let mut response = match outcome {
        // Its requests were watched one by one.
        Ok(Outcome::Batch(answers)) => whole(StatusCode::OK, answers, format),
        Ok(Outcome::One(answered)) => watched(watch, &id, &Ok(answered), format),
        Err(refusal) => watched(watch, &id, &Err(refusal), format),
    };
    if let Some(carried) = &carried {
        carried.write(response.headers_mut());
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// What a body came to.
enum Outcome {
    /// One request.
    One(Answered),
    /// The answers to several.
    Batch(Bytes),
}

fn watched(watch: Watch, id: &HeaderValue, outcome: &Result<Answered, Refusal>, format: Format) -> Answer {
    let response = respond(outcome, format);
    watch.end(id, response.status(), outcome);
    response
}

async fn answer<B: RequestBody>(
    gateway: &Arc<Gateway>,
    peer: Option<Peer>,
    parts: Parts,
    body: B,
    ids: Ids<'_>,
) -> Result<Outcome, Refusal> {
    check_headers(&parts.headers, gateway.config.limits.header_bytes)?;
    let is_get = match parts.method {
        Method::GET => true,
        Method::POST => false,
        _ => {
            return Err(Refusal::new(
                Code::MethodNotAllowed,
                "use POST, or GET for queries",
            ));
        }
    };
    let caller = gateway.identity.of_headers(&parts.headers).await?;
    let client = gateway.traffic.client(peer, &parts.headers);
    let who = Who {
        caller: &caller,
        client: client.as_ref(),
    };
    gateway.traffic.admit(&who).await?;
    let forwarded = Forwarded::of_caller(&parts.headers, &gateway.rules, caller.authorization.as_ref());
    let asking = Asking { gateway, who, ids };
    if is_get {
        let asked = from_get(gateway, &parts)?;
        let _inside = gateway.traffic.enter().await?;
        return Box::pin(asking.by_get(asked, forwarded)).await.map(Outcome::One);
    }
    if upload::is_upload(gateway, &parts.headers) {
        let answering = upload::answer(&asking, &parts, body, forwarded);
        return Box::pin(answering).await.map(Outcome::One);
    }
    let body = intake::post_body(gateway, &parts, body).await?;
    if batch::is_batch(gateway, &body) {
        let answering = batch::answer(&asking, &parts, &body, &forwarded);
        return Box::pin(answering).await.map(Outcome::Batch);
    }
    // Not before: a body that comes slowly takes nobody's place.
    let _inside = gateway.traffic.enter().await?;
    match (&gateway.sharing, gateway.engine()) {
        (Some(sharing), Some(engine)) => {
            let key = sharing::Key::new(engine, body.clone(), &forwarded.identity());
            let sharing = asking.shared(sharing, key, &body, forwarded);
            Box::pin(sharing).await.map(Outcome::One)
        }
        _ => {
            let prepared = asking.prepare(&body).await?;
            asking.alone(prepared, forwarded).await.map(Outcome::One)
        }
    }
}

/// Whose request this is, once its headers are not too large.
pub async fn enter(gateway: &Gateway, parts: &Parts) -> Result<Caller, Refusal> {
    check_headers(&parts.headers, gateway.config.limits.header_bytes)?;
    Ok(gateway.identity.of_headers(&parts.headers).await?)
}

/// The request of a query string, which no web page can have forged.
pub fn from_get(gateway: &Gateway, parts: &Parts) -> Result<Asked, Refusal> {
    csrf::check_get(&parts.headers, &gateway.config.csrf)?;
    request::from_query_string(parts.uri.query().unwrap_or_default(), &gateway.config.limits)
}

fn check_headers(headers: &HeaderMap, limit: usize) -> Result<(), Refusal> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if bytes > limit {
        let message = format!("the headers are larger than {limit} bytes (limits.header_bytes)");
        return Err(Refusal::new(Code::HeadersTooLarge, message));
    }
    Ok(())
}

/// A WebSocket: origin and token are looked at before the upgrade, so that a refusal has an HTTP status.
async fn upgrade(gateway: Arc<Gateway>, peer: Option<Peer>, mut parts: Parts, id: HeaderValue) -> Answer {
    let checked = async {
        check_headers(&parts.headers, gateway.config.limits.header_bytes)?;
        csrf::check_origin(&parts.headers, &gateway.config.csrf, &gateway.config.cors)?;
        if gateway.closing.is_cancelled() {
            return Err(Refusal::new(Code::ShuttingDown, "the gateway is stopping"));
        }
        let caller = gateway.identity.of_headers(&parts.headers).await?;
        Ok((caller, gateway.admission.admit()?))
    };
    let (caller, admitted) = match checked.await {
        Ok(let_in) => let_in,
        Err(refusal) => return respond(&Err(refusal), Format::Json),
    };
    match ws::Handshake::read(&mut parts) {
        Some(handshake) => {
            let upgraded = ws::Upgraded {
                client: gateway.traffic.client(peer, &parts.headers),
                headers: parts.headers,
                id,
                caller,
                admitted,
            };
            ws::accept(gateway, handshake, upgraded)
        }
        None => respond(
            &Err(Refusal::new(
                Code::BadRequest,
                "this is not a valid WebSocket handshake",
            )),
            Format::Json,
        ),
    }
}

fn whole(status: StatusCode, body: Bytes, format: Format) -> Answer {
    let mut response = Response::new(Reply::Whole(Full::new(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, format.content_type());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn respond(outcome: &Result<Answered, Refusal>, format: Format) -> Answer {
    let (status, body, code, retry_after) = match outcome {
        Ok(answered) => (StatusCode::OK, answered.answer.body.clone(), None, None),
        Err(refusal) => (
            refusal.code.status(format == Format::Json),
            refusal.body().into(),
            Some(refusal.code),
            refusal.retry_after,
        ),
    };
    let mut response = whole(status, body, format);
    let headers = response.headers_mut();
    if let Ok(Answered { answer, told }) = outcome {
        let parts = told.parts.iter();
        parts.for_each(|parts| parts.write(headers, answer.errors));
    }
    if let Some(after) = retry_after {
        // Whole seconds, and never sooner than it is worth it.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        headers.insert(RETRY_AFTER, seconds.max(1).into());
    }
    match code {
        Some(Code::InvalidToken | Code::TokenRevoked) => {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static(baedal_token::http::INVALID_TOKEN),
            );
        }
        // RFC 6750 section 3.1: who has sent nothing is told of no error.
        Some(Code::TokenRequired) => {
            drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
        }
        Some(Code::UnsupportedEncoding) => drop(headers.insert(ACCEPT_ENCODING, packed::KNOWN)),
        Some(Code::MethodNotAllowed) => drop(headers.insert(ALLOW, HeaderValue::from_static("GET, POST"))),
        Some(Code::MutationByGet) => drop(headers.insert(ALLOW, HeaderValue::from_static("POST"))),
        _ => {}
    }
    response
}

fn not_acceptable() -> Refusal {
    let message = "accept application/graphql-response+json or application/json";
    Refusal::new(Code::NotAcceptable, message)
}

//! A subgraph server that tells what it was sent, and can be made to misbehave.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::{Data, Executor, Request};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::Router;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket};
use axum::extract::{FromRequestParts, State, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use baedal_token::message::{Claimed, Message as Signed, MessageError, SharedKey, verify};
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How a subgraph behaves.
#[derive(Clone)]
pub enum Mode {
    Well,
    /// Sleeps before it answers.
    Slow(Duration),
    /// Answers when it is allowed to.
    Held(Arc<tokio::sync::Semaphore>),
    /// Answers with this status and body.
    Says(u16, &'static str),
    /// Answers with this many bytes of JSON.
    Huge(usize),
    /// Refuses subscriptions by an `error` message with this payload.
    Refuses(&'static str),
    /// Speaks no other protocol on a WebSocket than subscriptions-transport-ws.
    Older,
}

/// A running subgraph.
pub struct Subgraph {
    pub name: &'static str,
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    sockets: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

struct Shared {
    sdl: Mutex<String>,
    mode: Mutex<Mode>,
    said: Mutex<HeaderMap>,
    requests: Mutex<Vec<(HeaderMap, Value)>>,
    inits: Mutex<Vec<Value>>,
    asked_sdl: Mutex<usize>,
    given_up: Mutex<usize>,
    /// What requests must be signed with.
    known: Mutex<Option<SharedKey>>,
    verdicts: Mutex<Vec<Result<(), MessageError>>>,
}

/// Counts an operation that nobody waits for any more.
struct Waiting<'s> {
    given_up: &'s Mutex<usize>,
    over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.over {
            *self.given_up.lock().expect("no test has panicked with it") += 1;
        }
    }
}

/// Takes a free port, so that a subgraph can appear there later.
pub async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port")
        .local_addr()
        .expect("an address")
}

impl Subgraph {
    pub async fn start<E: Executor>(name: &'static str, schema: E, sdl: String) -> Subgraph {
        Subgraph::start_at(name, free_address().await, schema, sdl).await
    }

    pub async fn start_at<E: Executor>(
        name: &'static str,
        addr: SocketAddr,
        schema: E,
        sdl: String,
    ) -> Subgraph {
        let listener = TcpListener::bind(addr).await.expect("the port is still free");
        let shared = Arc::new(Shared {
            sdl: Mutex::new(sdl),
            mode: Mutex::new(Mode::Well),
            said: Mutex::default(),
            requests: Mutex::default(),
            inits: Mutex::default(),
            asked_sdl: Mutex::default(),
            given_up: Mutex::default(),
            known: Mutex::default(),
            verdicts: Mutex::default(),
        });
        let sockets = Arc::new(Mutex::new(Vec::new()));
        let state = (schema, Arc::clone(&shared), Arc::clone(&sockets));
        let app = Router::new()
            .route("/graphql", axum::routing::any(serve::<E>))
            .with_state(state);
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
        Subgraph {
            name,
            addr,
            shared,
            server,
            sockets,
        }
    }

    pub fn url(&self) -> url::Url {
        format!("http://{}/graphql", self.addr).parse().expect("a URL")
    }

    pub fn set_mode(&self, mode: Mode) {
        *self.shared.mode.lock().expect("no test has panicked with it") = mode;
    }

    /// Adds a header to all answers from now on, in place of one of the same name.
    pub fn set_header(&self, name: &'static str, value: &'static str) {
        let mut said = self.shared.said.lock().expect("no test has panicked with it");
        said.insert(name, value.parse().expect("a header value"));
    }

    pub fn sdl(&self) -> String {
        self.shared
            .sdl
            .lock()
            .expect("no test has panicked with it")
            .clone()
    }

    /// Changes the SDL it tells (what it answers stays).
    pub fn set_sdl(&self, sdl: impl Into<String>) {
        *self.shared.sdl.lock().expect("no test has panicked with it") = sdl.into();
    }

    /// How often it was asked for its SDL.
    pub fn asked_sdl(&self) -> usize {
        *self
            .shared
            .asked_sdl
            .lock()
            .expect("no test has panicked with it")
    }

    /// Bodies of the requests received since the last call (not those for its SDL), with their headers.
    pub fn requests(&self) -> Vec<(HeaderMap, Value)> {
        std::mem::take(&mut *self.shared.requests.lock().expect("no test has panicked with it"))
    }

    /// From now on requests must be signed with this key.
    pub fn demand(&self, key: SharedKey) {
        *self.shared.known.lock().expect("no test has panicked with it") = Some(key);
    }

    /// What became of the signatures since then.
    pub fn verdicts(&self) -> Vec<Result<(), MessageError>> {
        std::mem::take(&mut *self.shared.verdicts.lock().expect("no test has panicked with it"))
    }

    /// How many operations the gateway went away from before they were answered.
    pub fn given_up(&self) -> usize {
        *self.shared.given_up.lock().expect("no test has panicked with it")
    }

    /// Payloads of `connection_init` received so far.
    pub fn inits(&self) -> Vec<Value> {
        self.shared
            .inits
            .lock()
            .expect("no test has panicked with it")
            .clone()
    }

    /// Cuts all WebSockets.
    pub fn cut_sockets(&self) {
        self.sockets
            .lock()
            .expect("no test has panicked with it")
            .drain(..)
            .for_each(|socket| socket.abort());
    }

    /// WebSockets still served.
    pub fn open_sockets(&self) -> usize {
        self.sockets
            .lock()
            .expect("no test has panicked with it")
            .iter()
            .filter(|socket| !socket.is_finished())
            .count()
    }

    /// Stops serving: connections are refused from now on.
    pub async fn stop(self) {
        self.server.abort();
        while !self.server.is_finished() {
            tokio::task::yield_now().await;
        }
        self.cut_sockets();
    }
}

type Served<E> = (E, Arc<Shared>, Arc<Mutex<Vec<JoinHandle<()>>>>);

async fn serve<E: Executor>(
    State((schema, shared, sockets)): State<Served<E>>,
    request: axum::extract::Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    if let Err(refusal) = shared.verify(&parts, &body) {
        return (StatusCode::UNAUTHORIZED, refusal.to_string()).into_response();
    }
    if parts.headers.contains_key("upgrade") {
        let mode = shared.mode.lock().expect("no test has panicked with it").clone();
        let spoken = match mode {
            Mode::Older => "graphql-ws",
            _ => "graphql-transport-ws",
        };
        let offered = parts.headers["sec-websocket-protocol"].to_str().expect("text");
        assert!(offered.split(", ").any(|name| name == spoken), "{offered}");
        parts
            .headers
            .insert("sec-websocket-protocol", http::HeaderValue::from_static(spoken));
        let protocol = GraphQLProtocol::from_request_parts(&mut parts, &())
            .await
            .expect("a protocol");
        let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
            .await
            .expect("an upgrade");
        shared
            .requests
            .lock()
            .expect("no test has panicked with it")
            .push((parts.headers, Value::Null));
        let upgrade = upgrade.protocols([spoken]);
        if let Mode::Refuses(payload) = mode {
            return upgrade.on_upgrade(move |socket| refuse(socket, payload));
        }
        return upgrade.on_upgrade(move |socket| async move {
            let served = tokio::spawn(async move {
                let init = move |payload: Value| async move {
                    shared
                        .inits
                        .lock()
                        .expect("no test has panicked with it")
                        .push(payload);
                    Ok(Data::default())
                };
                GraphQLWebSocket::new(socket, schema, protocol)
                    .on_connection_init(init)
                    .serve()
                    .await;
            });
            sockets.lock().expect("no test has panicked with it").push(served);
        });
    }
    let body: Value = serde_json::from_slice(&body).expect("the gateway sends JSON");
    let accepted = parts
        .headers
        .get("accept")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kinds = ["text/event-stream", "multipart/mixed"];
    if let Some(kind) = kinds.into_iter().find(|kind| accepted.starts_with(kind)) {
        let request: Request = serde_json::from_value(body).expect("a GraphQL request");
        let (events, streamed) = tokio::sync::mpsc::channel(1);
        let task = tokio::spawn(stream(schema, request, kind, events));
        sockets.lock().expect("no test has panicked with it").push(task);
        let chunks = futures_util::stream::unfold(streamed, |mut streamed| async {
            Some((
                Ok::<String, std::convert::Infallible>(streamed.recv().await?),
                streamed,
            ))
        });
        let kind = format!("{kind}; boundary=graphql");
        return ([("content-type", kind)], Body::from_stream(chunks)).into_response();
    }
    answer(&schema, &shared, parts.headers, body).await
}

impl Shared {
    /// Whether a request is signed, where that is demanded.
    fn verify(&self, parts: &http::request::Parts, body: &[u8]) -> Result<(), MessageError> {
        let known = self.known.lock().expect("no test has panicked with it").clone();
        let Some(key) = known else { return Ok(()) };
        let field = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let claimed = Claimed {
            content_digest: field("content-digest"),
            signature_input: field("signature-input"),
            signature: field("signature"),
        };
        let signed = Signed {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            body: Some(body),
        };
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970");
        let verdict = verify(&[key], signed, claimed, now.as_secs());
        self.verdicts
            .lock()
            .expect("no test has panicked with it")
            .push(verdict);
        verdict
    }
}

/// Streams a subscription as the body of an answer.
async fn stream<E: Executor>(
    schema: E,
    request: Request,
    kind: &str,
    events: tokio::sync::mpsc::Sender<String>,
) {
    let multipart = kind == "multipart/mixed";
    let head = "--graphql\r\ncontent-type: application/json\r\n\r\n";
    let mut answers = schema.execute_stream(request, None);
    // A sign of life comes first.
    let mut chunk = if multipart {
        format!("{head}{{}}\r\n")
    } else {
        ":\n\n".to_owned()
    };
    loop {
        if events.send(chunk).await.is_err() {
            return;
        }
        let Some(answer) = answers.next().await else {
            break;
        };
        let answer = serde_json::to_string(&answer).expect("JSON");
        chunk = if multipart {
            format!("{head}{{\"payload\":{answer}}}\r\n")
        } else {
            format!("event: next\ndata: {answer}\n\n")
        };
    }
    let end = if multipart {
        "--graphql--\r\n"
    } else {
        "event: complete\ndata:\n\n"
    };
    // A gateway that has gone needs no end.
    let _ = events.send(end.to_owned()).await;
}

/// Acknowledges, and refuses what it is asked.
async fn refuse(mut socket: WebSocket, payload: &str) {
    let refusal = format!(r#"{{"id":"1","type":"error","payload":{payload}}}"#);
    for reply in [r#"{"type":"connection_ack"}"#.to_owned(), refusal] {
        socket.recv().await.expect("a message").expect("a message");
        socket.send(Message::text(reply)).await.expect("sent");
    }
    while let Some(Ok(_)) = socket.recv().await {}
}

async fn answer<E: Executor>(schema: &E, shared: &Shared, headers: HeaderMap, body: Value) -> Response {
    let is_sdl = body["query"]
        .as_str()
        .is_some_and(|query| query.contains("_service"));
    if is_sdl {
        *shared.asked_sdl.lock().expect("no test has panicked with it") += 1;
    } else {
        shared
            .requests
            .lock()
            .expect("no test has panicked with it")
            .push((headers, body.clone()));
    }
    let mode = shared.mode.lock().expect("no test has panicked with it").clone();
    let mut waiting = Waiting {
        given_up: &shared.given_up,
        over: is_sdl,
    };
    match mode {
        Mode::Well | Mode::Refuses(_) | Mode::Older => {}
        Mode::Slow(time) => tokio::time::sleep(time).await,
        Mode::Held(gate) => drop(gate.acquire().await.expect("an open gate")),
        Mode::Says(status, text) => {
            waiting.over = true;
            let status = StatusCode::from_u16(status).expect("a status");
            return (status, [("content-type", "application/json")], text).into_response();
        }
        Mode::Huge(bytes) => {
            waiting.over = true;
            return Body::from(format!(r#"{{"data":{{"x":"{}"}}}}"#, "x".repeat(bytes))).into_response();
        }
    }
    waiting.over = true;
    if is_sdl {
        let sdl = shared.sdl.lock().expect("no test has panicked with it").clone();
        return axum::Json(json!({"data": {"_service": {"sdl": sdl}}})).into_response();
    }
    let request: Request = serde_json::from_value(body).expect("a GraphQL request");
    let said = shared.said.lock().expect("no test has panicked with it").clone();
    (said, axum::Json(schema.execute(request).await)).into_response()
}

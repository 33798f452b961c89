//! A served schema: operations, limits, health, sockets and the end.

use async_graphql::{Context, Object, Result, Schema, Subscription};
use baedal_kit::{
    Running, Service, Worker,
    auth::{Auth, Caller},
    serve::{Check, Proof, TraceParent, guarded, serve, serve_to},
    telemetry::Telemetry,
};
use futures_util::{SinkExt, Stream, StreamExt, stream};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};
use tokio_util::sync::CancellationToken;

struct Query;

#[Object]
impl Query {
    async fn whoami(&self, context: &Context<'_>) -> Option<String> {
        Caller::of(context).subject().map(str::to_owned)
    }

    async fn secret(&self, context: &Context<'_>) -> Result<String> {
        Ok(format!("for {}", Caller::of(context).require("operator")?.sub))
    }

    async fn trace(&self, context: &Context<'_>) -> Option<String> {
        context
            .data_opt::<TraceParent>()
            .and_then(|trace| trace.0.clone())
    }

    async fn slow(&self, ms: u64) -> bool {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        true
    }

    async fn deeper(&self) -> Query {
        Query
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn echo(&self, text: String) -> String {
        text
    }
}

struct Ticks;

#[Subscription]
impl Ticks {
    async fn ticks(&self) -> impl Stream<Item = i32> {
        stream::unfold(0, |n| async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((n, n + 1))
        })
    }
}

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

async fn start_checked(auth: Option<Arc<Auth>>, checks: Vec<Check>) -> Running {
    start_whole(auth, checks, Telemetry::unread()).await
}

/// The test service with a check that passes, and this telemetry.
pub async fn start_told(telemetry: Telemetry) -> Running {
    let check = Check::new("store", || async { Ok(()) });
    start_whole(None, vec![check], telemetry).await
}

async fn start_whole(auth: Option<Arc<Auth>>, checks: Vec<Check>, telemetry: Telemetry) -> Running {
    let schema = guarded(Schema::build(Query, Mutation, Ticks)).finish();
    let workers = CancellationToken::new();
    serve(Service {
        name: "test",
        listen: any_port(),
        schema,
        auth,
        checks,
        ops: None,
        telemetry,
        workers,
    })
    .await
    .expect("serving")
}

/// The test service, to gateways alone.
pub async fn guarded_by(proof: Proof) -> Running {
    let schema = guarded(Schema::build(Query, Mutation, Ticks)).finish();
    let service = Service {
        name: "test",
        listen: any_port(),
        schema,
        auth: None,
        checks: Vec::new(),
        ops: None,
        telemetry: Telemetry::unread(),
        workers: CancellationToken::new(),
    };
    serve_to(service, Some(proof)).await.expect("serving")
}

/// The test service.
pub async fn start(auth: Option<Arc<Auth>>) -> Running {
    start_checked(auth, Vec::new()).await
}

/// A graphql-transport-ws client.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn try_open(
        addr: SocketAddr,
        path: &str,
        token: Option<&str>,
        protocol: &str,
    ) -> Result<Socket, Error> {
        let mut request = format!("ws://{addr}{path}")
            .into_client_request()
            .expect("a request");
        if !protocol.is_empty() {
            request
                .headers_mut()
                .insert("sec-websocket-protocol", protocol.parse().expect("a value"));
        }
        if let Some(token) = token {
            request
                .headers_mut()
                .insert("authorization", token.parse().expect("a value"));
        }
        connect_async(request).await.map(|(socket, _)| Socket(socket))
    }

    pub async fn open(addr: SocketAddr, token: Option<&str>) -> Socket {
        Socket::try_open(addr, "/graphql", token, "graphql-transport-ws")
            .await
            .expect("upgraded")
    }

    /// The HTTP status with which an upgrade is refused.
    pub async fn refused(addr: SocketAddr, token: &str) -> u16 {
        match Socket::try_open(addr, "/graphql", Some(token), "graphql-transport-ws").await {
            Err(Error::Http(answer)) => answer.status().as_u16(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("upgraded"),
        }
    }

    async fn send(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .expect("sent");
    }

    pub async fn init(&mut self, payload: Value) {
        self.send(json!({ "type": "connection_init", "payload": payload }))
            .await;
    }

    pub async fn subscribe(&mut self, query: &str) {
        self.send(json!({ "type": "subscribe", "id": "1", "payload": { "query": query } }))
            .await;
    }

    /// The next message of the protocol.
    pub async fn receive(&mut self) -> Value {
        let next = async {
            loop {
                match self.0.next().await.expect("open").expect("a message") {
                    Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                    Message::Ping(_) | Message::Pong(_) => {}
                    other => panic!("{other:?}"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(5), next)
            .await
            .expect("in time")
    }

    pub async fn ask(&mut self, query: &str) -> Value {
        self.subscribe(query).await;
        self.receive().await
    }

    /// The code it is closed with.
    pub async fn closed(&mut self) -> u16 {
        let code = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                    Some(Ok(Message::Text(_) | Message::Ping(_))) => {}
                    other => panic!("not closed in order: {other:?}"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), code)
            .await
            .expect("in time")
    }
}

async fn post(running: &Running, content_type: &str, body: String) -> (StatusCode, Value) {
    let request = reqwest::Client::new()
        .post(running.url())
        .header("content-type", content_type)
        .body(body);
    let answer = request.send().await.expect("sent");
    (answer.status(), answer.json().await.unwrap_or(Value::Null))
}

async fn query(running: &Running, query: &str) -> Value {
    post(running, "application/json", json!({ "query": query }).to_string())
        .await
        .1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_are_answered() {
    let running = start(None).await;
    let body = json!({ "query": "mutation M($t: String!) { echo(text: $t) }", "variables": { "t": "통닭" } });
    let (status, answer) = post(&running, "application/json; charset=utf-8", body.to_string()).await;
    assert_eq!(
        (status, &answer["data"]["echo"]),
        (StatusCode::OK, &json!("통닭"))
    );
    let sdl = query(&running, "{ _service { sdl } }").await["data"]["_service"]["sdl"].clone();
    assert!(sdl.as_str().is_some_and(|sdl| sdl.contains("whoami")), "{sdl}");
    let traced = reqwest::Client::new()
        .post(running.url())
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .json(&json!({ "query": "{ trace }" }));
    let answer: Value = traced.send().await.expect("sent").json().await.expect("JSON");
    assert_eq!(
        answer["data"]["trace"],
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    );
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_done_for_a_caller_who_waits_no_longer() {
    let running = start(None).await;
    let ask = async |left: &str, query: &str| {
        let request = reqwest::Client::new().post(running.url());
        let request = request.header("x-request-timeout-ms", left);
        let answer = request
            .json(&json!({ "query": query }))
            .send()
            .await
            .expect("sent");
        (
            answer.status().as_u16(),
            answer.json::<Value>().await.expect("JSON"),
        )
    };
    let began = Instant::now();
    let (status, answer) = ask("0", "mutation { echo(text: \"done\") }").await;
    assert_eq!((status, &answer["data"]), (504, &Value::Null));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "DEADLINE_EXCEEDED");
    let (status, answer) = ask("100", "{ slow(ms: 60000) }").await;
    assert_eq!(status, 504, "{answer}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    for (left, query) in [("60000", "{ slow(ms: 1) }"), ("soon", "{ slow(ms: 150) }")] {
        let (status, answer) = ask(left, query).await;
        assert_eq!((status, &answer["data"]["slow"]), (200, &json!(true)), "{left}");
    }
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_refused_with_a_reason() {
    let running = start(None).await;
    for (kind, body, status) in [
        ("text/plain", "{}".to_owned(), 415),
        ("application/json", "not json".to_owned(), 400),
        ("application/json", "[1]".to_owned(), 400),
        (
            "application/json",
            format!("{{\"query\": \"{}\"}}", "x".repeat(2_000_000)),
            413,
        ),
    ] {
        let (got, _) = post(&running, kind, body).await;
        assert_eq!(got.as_u16(), status, "{kind}");
    }
    let get = reqwest::get(running.url()).await.expect("sent");
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
    let deep = format!("{{ {} whoami {} }}", "deeper {".repeat(30), "}".repeat(30));
    assert!(
        query(&running, &deep).await["errors"][0]["message"]
            .as_str()
            .is_some_and(|m| m.contains("too deep"))
    );
    let wide: String = (0..2100).map(|n| format!("a{n}: whoami ")).collect();
    let refused = query(&running, &format!("{{ {wide} }}")).await;
    assert!(
        refused["errors"][0]["message"]
            .as_str()
            .is_some_and(|m| m.contains("complex")),
        "{refused}"
    );
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_names_what_is_missing() {
    let store = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&store);
    let check = Check::new("store", move || {
        let ok = seen.load(Ordering::SeqCst);
        async move {
            if ok {
                Ok(())
            } else {
                Err("connection refused".to_owned())
            }
        }
    });
    let hung = Check::new("slow", std::future::pending);
    let running = start_checked(None, vec![check]).await;
    let base = format!("http://{}", running.addr());
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{base}{path}")).await.expect("sent");
        (
            answer.status().as_u16(),
            answer.json::<Value>().await.expect("JSON"),
        )
    };
    assert_eq!(get("/health/live").await.0, 200);
    assert_eq!(get("/health/ready").await.0, 200);
    store.store(false, Ordering::SeqCst);
    let (status, body) = get("/health/ready").await;
    assert_eq!(status, 503);
    assert_eq!(
        body["checks"][0],
        json!({ "name": "store", "ok": false, "reason": "connection refused" })
    );
    running.shutdown().await;
    let running = start_checked(None, vec![hung]).await;
    let answer = reqwest::get(format!("http://{}/health/ready", running.addr()))
        .await
        .expect("sent");
    assert_eq!(
        answer.status(),
        StatusCode::SERVICE_UNAVAILABLE,
        "a check that hangs has failed"
    );
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_is_named() {
    let running = start(None).await;
    let schema = guarded(Schema::build(Query, Mutation, Ticks)).finish();
    let workers = CancellationToken::new();
    let service = Service {
        name: "second",
        listen: running.addr(),
        schema,
        auth: None,
        checks: vec![],
        ops: None,
        telemetry: Telemetry::unread(),
        workers,
    };
    let message = serve(service).await.expect_err("the port is taken").to_string();
    assert!(
        message.contains(&running.addr().to_string()) && message.contains("choose another"),
        "{message}"
    );
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_speak_graphql_transport_ws() {
    let running = start(None).await;
    for path in ["/graphql", "/graphql/ws"] {
        let mut socket = Socket::try_open(running.addr(), path, None, "graphql-transport-ws")
            .await
            .expect("upgraded");
        socket.init(json!(null)).await;
        assert_eq!(socket.receive().await["type"], "connection_ack");
        socket.subscribe("subscription { ticks }").await;
        for n in 0..3 {
            assert_eq!(socket.receive().await["payload"]["data"]["ticks"], n);
        }
    }
    for protocol in ["", "graphql-ws"] {
        assert!(
            Socket::try_open(running.addr(), "/graphql", None, protocol)
                .await
                .is_err(),
            "{protocol:?}"
        );
    }
    let mut early = Socket::open(running.addr(), None).await;
    early.subscribe("{ whoami }").await;
    assert_eq!(early.closed().await, 4401);
    let mut junk = Socket::open(running.addr(), None).await;
    junk.send(json!("junk")).await;
    assert_eq!(junk.closed().await, 4400);
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_lets_requests_finish_closes_sockets_and_stops_workers() {
    let schema = guarded(Schema::build(Query, Mutation, Ticks)).finish();
    let workers = CancellationToken::new();
    let service = Service {
        name: "t",
        listen: any_port(),
        schema,
        auth: None,
        checks: vec![],
        ops: None,
        telemetry: Telemetry::unread(),
        workers: workers.clone(),
    };
    let mut running = serve(service).await.expect("serving");
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stopped);
    running.keep(Worker::spawn("worker", async move {
        workers.cancelled().await;
        flag.store(true, Ordering::SeqCst);
    }));
    let mut socket = Socket::open(running.addr(), None).await;
    socket.init(json!({})).await;
    socket.receive().await;
    let url = running.url();
    let slow = tokio::spawn(async move {
        let request = reqwest::Client::new()
            .post(url)
            .json(&json!({ "query": "{ slow(ms: 700) }" }));
        request
            .send()
            .await
            .expect("answered")
            .json::<Value>()
            .await
            .expect("JSON")
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let start = Instant::now();
    let (_, code) = tokio::join!(running.shutdown(), socket.closed());
    assert_eq!(code, 1001);
    assert_eq!(slow.await.expect("no panic")["data"]["slow"], true);
    assert!(stopped.load(Ordering::SeqCst), "workers have ended");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

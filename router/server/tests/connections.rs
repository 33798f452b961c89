//! Slow, silent and strange connections, each on a socket of its own.

use std::time::{Duration, Instant};

use baedal_router::config::ConnectionsConfig;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{World, eventually};

const BODY: &str = r#"{"query":"{ me { name } }"}"#;
const SHORT: Duration = Duration::from_millis(300);
/// Long enough for a busy machine, and shorter than what the limits are by default.
const PATIENCE: Duration = Duration::from_secs(8);

async fn with(change: impl FnOnce(&mut ConnectionsConfig)) -> World {
    World::with(|config| change(&mut config.connections)).await
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.gateway.addr()).await.expect("connects")
}

fn post(lines: &str) -> String {
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    format!("{head}{lines}content-length: {}\r\n\r\n{BODY}", BODY.len())
}

/// All that comes until the connection is closed, which must be soon.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A reset is an end, too.
    let _ = read.expect("it is closed");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One answer, of a connection that stays.
async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while !bytes.ends_with(b"}") {
            let read = stream.read_buf(&mut bytes).await.expect("read");
            assert!(read > 0, "it was closed: {}", String::from_utf8_lossy(&bytes));
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("an answer");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let world = with(|config| config.head_timeout = SHORT).await;
    let mut stream = connect(&world).await;
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_head_that_comes_slowly_is_cut() {
    let world = with(|config| config.head_timeout = SHORT).await;
    for before in ["", &post("")] {
        let mut stream = connect(&world).await;
        if !before.is_empty() {
            stream.write_all(before.as_bytes()).await.expect("sent");
            assert!(answer(&mut stream).await.contains("Ada"));
            tokio::time::sleep(2 * SHORT).await;
        }
        let began = Instant::now();
        let dripped = async {
            for byte in post("").bytes() {
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        // The whole of it would take longer.
        let _ = tokio::time::timeout(PATIENCE, dripped).await;
        assert!(began.elapsed() < PATIENCE, "nobody listens any more");
        assert!(!rest(&mut stream).await.contains("200 OK"));
    }
}

#[tokio::test]
async fn a_kept_connection_may_be_silent_for_its_time_and_no_longer() {
    let world = with(|config| (config.head_timeout, config.idle_timeout) = (SHORT, 4 * SHORT)).await;
    let mut stream = connect(&world).await;
    for _ in 0..3 {
        stream.write_all(post("").as_bytes()).await.expect("sent");
        assert!(answer(&mut stream).await.contains("Ada"));
        // Longer than a head may take.
        tokio::time::sleep(2 * SHORT).await;
    }
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn what_takes_long_within_a_request_is_not_cut_as_a_head() {
    let world = with(|config| (config.head_timeout, config.write_timeout) = (SHORT, SHORT)).await;
    world.accounts.set_mode(crate::support::Mode::Slow(3 * SHORT));
    let mut stream = connect(&world).await;
    stream.write_all(post("").as_bytes()).await.expect("sent");
    assert!(answer(&mut stream).await.contains("Ada"));
    world.accounts.set_mode(crate::support::Mode::Well);
    // A body that comes slowly has a time of its own.
    let request = post("");
    let (first, second) = request.split_at(request.len() - 5);
    stream.write_all(first.as_bytes()).await.expect("sent");
    tokio::time::sleep(3 * SHORT).await;
    stream.write_all(second.as_bytes()).await.expect("sent");
    assert!(answer(&mut stream).await.contains("Ada"));
    // And a WebSocket is silent as long as it likes.
    let mut socket = crate::support::socket::Socket::ready(&world.gateway, None).await;
    tokio::time::sleep(3 * SHORT).await;
    socket.subscribe("1", "{ me { name } }").await;
    assert_eq!(socket.message().await["type"], "next");
}

/// A query whose answer is larger than what sockets hold.
fn large() -> String {
    let fields: Vec<String> = (0..9_000).map(|n| format!("name{n:0>900}: __typename")).collect();
    json!({"query": format!("{{ {} }}", fields.join(" "))}).to_string()
}

fn generous(config: &mut baedal_router::Config) {
    let limits = &mut config.limits;
    (limits.aliases, limits.root_fields, limits.body_bytes) = (10_000, 10_000, 64 * 1024 * 1024);
    limits.tokens = 200_000;
    config.connections.write_timeout = SHORT;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let world = World::with(generous).await;
    let body = large();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(128 * 1024).expect("a small buffer");
    let mut stream = socket.connect(world.gateway.addr()).await.expect("connects");
    stream.write_all(request.as_bytes()).await.expect("sent");
    // The answer begins, and then nobody takes it.
    let begun = tokio::time::timeout(PATIENCE, stream.peek(&mut [0])).await;
    assert_eq!(begun.expect("in time").expect("an answer"), 1);
    tokio::time::sleep(8 * SHORT).await;
    let mut read = 0;
    let mut buffer = vec![0; 1 << 20];
    let reading = async {
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            read += count;
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("it is closed");
    assert!(read < 9_000 * 900, "it got all of it: {read}");
    world.query("{ me { id } }").await.data();
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_their_order() {
    let world = World::start().await;
    let mut stream = connect(&world).await;
    let ids: Vec<String> = (0..5).map(|n| format!("request-{n}")).collect();
    let requests: String = ids
        .iter()
        .map(|id| post(&format!("x-request-id: {id}\r\n")))
        .collect();
    let last = post("x-request-id: last\r\nconnection: close\r\n");
    stream
        .write_all(format!("{requests}{last}").as_bytes())
        .await
        .expect("sent");
    let answers = rest(&mut stream).await;
    let places: Vec<_> = ids
        .iter()
        .map(|id| answers.find(id.as_str()).expect("answered"))
        .collect();
    assert!(places.is_sorted(), "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 6);
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed_unless_it_asks_otherwise() {
    let world = World::start().await;
    let old = |lines: &str| post(lines).replace("HTTP/1.1", "HTTP/1.0");
    let mut stream = connect(&world).await;
    stream.write_all(old("").as_bytes()).await.expect("sent");
    let told = rest(&mut stream).await;
    assert!(told.starts_with("HTTP/1.0 200") && told.contains("Ada"), "{told}");
    let mut stream = connect(&world).await;
    for _ in 0..2 {
        stream
            .write_all(old("connection: keep-alive\r\n").as_bytes())
            .await
            .expect("sent");
        assert!(answer(&mut stream).await.contains("Ada"));
    }
}

#[tokio::test]
async fn a_hundred_headers_are_enough() {
    let world = World::start().await;
    for (count, status) in [(90, "200"), (110, "431")] {
        let lines: String = (0..count).map(|n| format!("x-{n}: 1\r\n")).collect();
        let mut stream = connect(&world).await;
        let request = post(&format!("{lines}connection: close\r\n"));
        stream.write_all(request.as_bytes()).await.expect("sent");
        let told = rest(&mut stream).await;
        assert!(told.starts_with(&format!("HTTP/1.1 {status}")), "{count}: {told}");
    }
}

#[tokio::test]
async fn a_line_break_in_a_header_makes_no_header_of_its_own() {
    let world = World::with(|config| config.headers.propagate = vec!["x-a".into()]).await;
    for smuggled in [
        "x-a: 1\rx-b: 2\r\n",
        "x-a: 1\0\r\n",
        "x-a\r\n: 1\r\n",
        "x-a: 1\r\n x-b: 2\r\n",
    ] {
        let mut stream = connect(&world).await;
        let request = post(&format!("{smuggled}connection: close\r\n"));
        stream.write_all(request.as_bytes()).await.expect("sent");
        let told = rest(&mut stream).await;
        assert!(told.starts_with("HTTP/1.1 400"), "{smuggled:?}: {told}");
    }
    assert!(world.accounts.requests().is_empty());
}

#[tokio::test]
async fn there_is_room_for_so_many_connections() {
    let world = with(|config| config.max = 3).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&world).await;
        stream.write_all(post("").as_bytes()).await.expect("sent");
        assert!(answer(&mut stream).await.contains("Ada"));
        kept.push(stream);
    }
    let mut fourth = connect(&world).await;
    let _ = fourth.write_all(post("").as_bytes()).await;
    assert_eq!(rest(&mut fourth).await, "");
    drop(kept.pop());
    eventually("there is room again", || async {
        let mut stream = connect(&world).await;
        let _ = stream.write_all(post("connection: close\r\n").as_bytes()).await;
        rest(&mut stream).await.contains("Ada")
    })
    .await;
}

#[tokio::test]
async fn one_address_takes_its_own_share_only() {
    let world = with(|config| config.max_per_address = 1).await;
    let mut first = connect(&world).await;
    first.write_all(post("").as_bytes()).await.expect("sent");
    assert!(answer(&mut first).await.contains("Ada"));
    let mut second = connect(&world).await;
    let _ = second.write_all(post("").as_bytes()).await;
    assert_eq!(rest(&mut second).await, "");
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket
        .bind(([127, 0, 0, 2], 0).into())
        .expect("another address of this machine");
    let mut other = socket.connect(world.gateway.addr()).await.expect("connects");
    other.write_all(post("").as_bytes()).await.expect("sent");
    assert!(answer(&mut other).await.contains("Ada"));
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The head of `POST /graphql` with a JSON body, by the static table of HPACK and literals that are not indexed.
fn head(stream: u32, ended: bool) -> Vec<u8> {
    let mut block = vec![0x83, 0x86];
    for (name, value) in [(4, "/graphql"), (1, "x")] {
        block.extend([name, u8::try_from(value.len()).expect("short")]);
        block.extend(value.bytes());
    }
    // content-type has the number 31: fifteen in four bits, and sixteen more.
    block.extend([0x0f, 31 - 15, 16]);
    block.extend(b"application/json");
    frame(1, 4 | u8::from(ended), stream, &block)
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

async fn http2(world: &World, settings: &[u8]) -> TcpStream {
    let mut stream = connect(world).await;
    let begin = [PREFACE, &frame(4, 0, 0, settings)].concat();
    stream.write_all(&begin).await.expect("sent");
    stream
}

/// The kinds of the frames that come, with the error code of a GOAWAY, until the connection is closed.
async fn frames(stream: &mut TcpStream) -> Vec<(u8, u32)> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("it is closed");
    let (mut found, mut rest) = (Vec::new(), &bytes[..]);
    while rest.len() >= 9 {
        let length = usize::from(rest[0]) << 16 | usize::from(rest[1]) << 8 | usize::from(rest[2]);
        let payload = &rest[9..rest.len().min(9 + length)];
        let code = match (rest[3], payload.get(4..8)) {
            (7, Some(code)) => u32::from_be_bytes(code.try_into().expect("four bytes")),
            _ => 0,
        };
        found.push((rest[3], code));
        rest = &rest[rest.len().min(9 + length)..];
    }
    found
}

const GOAWAY: u8 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let world = World::start().await;
    let mut stream = http2(&world, &[]).await;
    let mut storm = Vec::new();
    for number in 0..2_000 {
        let id = 2 * number + 1;
        storm.extend(head(id, false));
        storm.extend(frame(3, 0, id, &8u32.to_be_bytes()));
    }
    // It may be closed before all of it is sent.
    let _ = stream.write_all(&storm).await;
    let found = frames(&mut stream).await;
    assert!(found.contains(&(GOAWAY, ENHANCE_YOUR_CALM)), "{:?}", found.last());
    world.query("{ me { id } }").await.data();
}

#[tokio::test]
async fn a_head_without_end_is_cut_on_http2() {
    let world = World::start().await;
    let mut stream = http2(&world, &[]).await;
    let mut endless = frame(1, 0, 1, &[0x83, 0x86]);
    for _ in 0..20_000 {
        // A literal that is not indexed: `x: ` and 64 bytes.
        let field = [&[0, 1, b'x', 64][..], &[b'y'; 64]].concat();
        endless.extend(frame(9, 0, 1, &field));
    }
    let _ = stream.write_all(&endless).await;
    assert!(frames(&mut stream).await.iter().any(|(kind, _)| *kind == GOAWAY));
}

#[tokio::test]
async fn more_streams_than_allowed_are_refused() {
    let world = with(|config| config.http2_streams = 4).await;
    world.accounts.set_mode(crate::support::Mode::Slow(2 * SHORT));
    let stream = hyper_util::rt::TokioIo::new(connect(&world).await);
    let executor = hyper_util::rt::TokioExecutor::new();
    let shaken = hyper::client::conn::http2::handshake(executor, stream).await;
    let (sender, connection) = shaken.expect("a handshake");
    tokio::spawn(connection);
    // The first answer brings the server's settings.
    let first = http::Request::post(world.gateway.url()).header("content-type", "application/json");
    let first = first.body(BODY.to_owned()).expect("a request");
    sender.clone().send_request(first).await.expect("an answer");
    let asked = (0..12).map(|_| {
        let request = http::Request::post(world.gateway.url()).header("content-type", "application/json");
        let request = request.body(BODY.to_owned()).expect("a request");
        let mut sender = sender.clone();
        async move {
            sender
                .send_request(request)
                .await
                .expect("an answer")
                .status()
                .as_u16()
        }
    });
    // A client that knows the limit waits for its turn.
    assert_eq!(futures_util::future::join_all(asked).await, [200; 12]);
    world.accounts.set_mode(crate::support::Mode::Slow(2 * PATIENCE));
    let mut stream = http2(&world, &[]).await;
    let heads: Vec<u8> = (0..6).flat_map(|number| head(2 * number + 1, false)).collect();
    stream.write_all(&heads).await.expect("sent");
    let mut bytes = vec![0; 4096];
    let mut seen = Vec::new();
    let refused = frame(3, 0, 9, &7u32.to_be_bytes());
    let reading = async {
        while !seen.windows(refused.len()).any(|window| window == refused) {
            let read = stream.read(&mut bytes).await.expect("read");
            assert!(read > 0, "it is closed: {seen:?}");
            seen.extend_from_slice(&bytes[..read]);
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("the fifth is refused");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends_a_connection_of_http2() {
    let world = World::with(generous).await;
    // SETTINGS_INITIAL_WINDOW_SIZE of 10 bytes, which is never made larger.
    let mut stream = http2(&world, &[0, 4, 0, 0, 0, 10]).await;
    // Longer than what is handed over at once.
    let fields: Vec<String> = (0..1_500).map(|n| format!("a{n:0>20}: __typename")).collect();
    let body = json!({"query": format!("{{ {} }}", fields.join(" "))}).to_string();
    let mut request = head(1, false);
    let pieces: Vec<&[u8]> = body.as_bytes().chunks(16_000).collect();
    for (number, piece) in pieces.iter().enumerate() {
        request.extend(frame(0, u8::from(number + 1 == pieces.len()), 1, piece));
    }
    stream.write_all(&request).await.expect("sent");
    let began = Instant::now();
    let found = frames(&mut stream).await;
    assert!(found.iter().any(|(kind, _)| *kind == 1), "a head came: {found:?}");
    assert!(began.elapsed() < PATIENCE);
}

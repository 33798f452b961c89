//! GraphQL over HTTP: methods, content types, statuses, bodies.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Client, Mode, World};

const GRAPHQL: &str = "application/graphql-response+json; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

fn client(world: &World, accept: &str) -> Client {
    world.client().header("accept", accept)
}

#[tokio::test]
async fn the_answer_has_the_type_the_client_likes() {
    let world = World::start().await;
    for (accept, wanted) in [
        ("*/*", JSON),
        ("application/json", JSON),
        ("application/graphql-response+json", GRAPHQL),
    ] {
        let answer = client(&world, accept).query("{ me { id } }").await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, wanted),
            "{accept}"
        );
    }
    let answer = client(&world, "text/html").query("{ me { id } }").await;
    assert_eq!((answer.status, answer.code()), (406, "NOT_ACCEPTABLE"));
}

#[tokio::test]
async fn errors_of_the_request_have_a_status_by_the_type() {
    let world = World::start().await;
    for (query, code) in [
        ("{ me { id }", "GRAPHQL_PARSE_FAILED"),
        ("{ nobody }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "query A { me { id } } query B { me { id } }",
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (
            "query($x: Int!) { topProducts(first: $x) { upc } }",
            "BAD_USER_INPUT",
        ),
        ("", "GRAPHQL_PARSE_FAILED"),
    ] {
        let graphql = client(&world, "application/graphql-response+json")
            .query(query)
            .await;
        assert_eq!(
            (graphql.status, graphql.code()),
            (400, code),
            "{query}: {graphql:?}"
        );
        assert!(graphql.body.get("data").is_none());
        let plain = client(&world, "application/json").query(query).await;
        assert_eq!((plain.status, plain.code()), (200, code), "{query}");
    }
    let place = world.query("{ me {\n  nobody } }").await;
    let there = json!([{"line": 2, "column": 3}]);
    assert!(
        place.errors().iter().any(|error| error["locations"] == there),
        "{place:?}"
    );
}

#[tokio::test]
async fn malformed_bodies_keep_their_status_for_every_client() {
    let world = World::start().await;
    for accept in ["application/json", "application/graphql-response+json"] {
        for (body, status, code) in [
            (&b"{"[..], 400, "INVALID_JSON"),
            (b"", 400, "INVALID_JSON"),
            (b"{\"query\":\"\xff\"}", 400, "INVALID_JSON"),
            (b"\xef\xbb\xbf{\"query\":\"{me{id}}\"}", 400, "INVALID_JSON"),
            (
                b"{\"query\":\"{me{id}}\",\"variables\":{\"x\":\"\\ud800\"}}",
                400,
                "INVALID_JSON",
            ),
            (b"{}", 400, "BAD_REQUEST"),
            (b"{\"query\":{}}", 400, "BAD_REQUEST"),
            (
                b"{\"query\":\"{me{id}}\",\"variables\":7}",
                400,
                "INVALID_VARIABLES",
            ),
            (b"[{\"query\":\"{me{id}}\"}]", 400, "BATCHING_DISABLED"),
        ] {
            let answer = client(&world, accept).post_raw("application/json", body).await;
            assert_eq!(
                (answer.status, answer.code()),
                (status, code),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }
}

#[tokio::test]
async fn queries_come_by_get_but_mutations_and_subscriptions_do_not() {
    let world = World::start().await;
    let client = world.client().header("graphql-require-preflight", "1");
    let query = client
        .get(&[
            ("query", "query A($u: ID!) { product(upc: $u) { name } }"),
            ("variables", r#"{"u":"top-3"}"#),
            ("operationName", "A"),
        ])
        .await;
    assert_eq!(*query.data(), json!({"product": {"name": "Cup"}}));
    let mutation = client
        .get(&[("query", "mutation { productsStep(step: 1) }")])
        .await;
    assert_eq!(
        (mutation.status, mutation.code(), mutation.header("allow")),
        (405, "MUTATION_BY_GET", "POST")
    );
    assert!(world.journal.read().is_empty());
    for answer in [
        client.get(&[("query", "subscription { sold { upc } }")]).await,
        client.query("subscription { sold { upc } }").await,
    ] {
        assert_eq!(
            (answer.status, answer.code()),
            (400, "SUBSCRIPTION_NEEDS_WEBSOCKET")
        );
    }
    for (pairs, code) in [
        (vec![], "BAD_REQUEST"),
        (vec![("query", "{me{id}}"), ("variables", "[")], "INVALID_JSON"),
        (
            vec![("query", "{me{id}}"), ("variables", "[]")],
            "INVALID_VARIABLES",
        ),
    ] {
        let answer = client.get(&pairs).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{pairs:?}");
    }
}

#[tokio::test]
async fn other_methods_and_content_types_are_refused() {
    let world = World::start().await;
    for method in ["PATCH", "HEAD"] {
        let answer = world.client().method(method).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, "GET, POST"),
            "{method}"
        );
    }
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/graphql",
    ] {
        let answer = world
            .client()
            .post_raw(content_type, r#"{"query":"{me{id}}"}"#)
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (415, "UNSUPPORTED_MEDIA_TYPE"),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn smuggled_requests_are_refused() {
    let world = World::start().await;
    let body = r#"{"query":"{ __typename }"}"#;
    let json = "host: x\r\ncontent-type: application/json\r\n";
    for (what, request) in [
        (
            "CL and CL",
            format!(
                "POST /graphql HTTP/1.1\r\n{json}content-length: 5\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ),
        ),
        (
            "bad CL",
            format!("POST /graphql HTTP/1.1\r\n{json}content-length: +5\r\n\r\n{body}"),
        ),
        (
            "bad TE",
            format!("POST /graphql HTTP/1.1\r\n{json}transfer-encoding: chunked, gzip\r\n\r\n{body}"),
        ),
        (
            "bare CR in a header",
            format!("POST /graphql HTTP/1.1\r\n{json}x-a: b\rc: d\r\n\r\n"),
        ),
        (
            "a space before the colon",
            format!("POST /graphql HTTP/1.1\r\n{json}x-a : b\r\n\r\n"),
        ),
        ("no HTTP", "hello\r\n\r\n".to_owned()),
    ] {
        let mut stream = tokio::net::TcpStream::connect(world.gateway.addr())
            .await
            .expect("connects");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let head = read_head(&mut stream).await;
        assert!(
            head.starts_with("HTTP/1.1 400") || head.is_empty(),
            "{what}: {head}"
        );
    }
    world.query("{ me { id } }").await.data();
}

/// RFC 9112, section 6.1: where such a request ends is seen at two places, so it is refused, and what follows is nobody's.
#[tokio::test]
async fn what_follows_a_request_with_two_lengths_is_not_read() {
    let world = World::start().await;
    let body = r#"{"query":"{ __typename }"}"#;
    let smuggled = r#"{"query":"mutation { productsStep(step: 666) }"}"#;
    let json = "host: x\r\ncontent-type: application/json\r\n";
    let first =
        format!("{json}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n1a\r\n{body}\r\n0\r\n\r\n");
    let second = format!("{json}content-length: {}\r\n\r\n{smuggled}", smuggled.len());
    let mut stream = tokio::net::TcpStream::connect(world.gateway.addr())
        .await
        .expect("connects");
    let both = format!("POST /graphql HTTP/1.1\r\n{first}POST /graphql HTTP/1.1\r\n{second}");
    // However the bytes are cut on their way.
    for piece in both.as_bytes().chunks(40) {
        if stream.write_all(piece).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut answer = Vec::new();
    // The end may come as a reset, since what follows is never read.
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer))
        .await
        .expect("it is closed");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.matches("HTTP/1.1").count() <= 1, "{answer}");
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
    assert!(world.journal.read().is_empty());
}

/// It is the connection's own head that counts, also of the second request on it, and at every path.
#[tokio::test]
async fn two_lengths_are_refused_on_a_connection_that_was_good_so_far() {
    let world = World::start().await;
    let body = r#"{"query":"{ me { id } }"}"#;
    let good = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\
         {:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    for path in ["/graphql", "/health/ready", "/nowhere"] {
        let mut stream = tokio::net::TcpStream::connect(world.gateway.addr())
            .await
            .expect("connects");
        for _ in 0..2 {
            stream.write_all(good.as_bytes()).await.expect("sent");
            let answer = read_head(&mut stream).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        let bad = good
            .replace("/graphql", path)
            .replace("host: x", "host: x\r\nContent-Length: 3");
        stream.write_all(bad.as_bytes()).await.expect("sent");
        let answer = read_head(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        assert!(answer.contains("BAD_REQUEST"), "{path}: {answer}");
        let mut room = [0; 16];
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut room));
        let ended = ended.await.expect("it is closed");
        assert!(matches!(ended, Ok(0) | Err(_)), "{path}");
    }
}

/// RFC 9112, section 2.2: a line feed alone may end a line; a folded line, or one with a NUL, is none.
#[tokio::test]
async fn lines_of_a_head_end_in_two_ways() {
    let world = World::start().await;
    let body = r#"{"query":"{ me { id } }"}"#;
    let head = |line: &str, end: &str| {
        let length = body.len();
        let lines = [
            "POST /graphql HTTP/1.1",
            "host: x",
            "content-type: application/json",
            line,
        ];
        format!("{}{end}content-length: {length}{end}{end}{body}", lines.join(end))
    };
    for (request, status) in [
        (head("x-a: b", "\r\n"), "200"),
        (head("x-a: b", "\n"), "200"),
        (head("x-a: b\r\n c", "\r\n"), "400"),
        (head("x-a: b\n\tc", "\n"), "400"),
        (head("x-a: b\0c", "\r\n"), "400"),
        (head("x-a: b\rc", "\r\n"), "400"),
        (head("transfer-encoding: chunked", "\n"), "400"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(world.gateway.addr())
            .await
            .expect("connects");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let answer = read_head(&mut stream).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{request}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_with_or_without_a_length() {
    let world = World::with(|config| config.limits.body_bytes = 1000).await;
    let large = format!(
        r#"{{"query":"{{me{{id}}}}","variables":{{"x":"{}"}}}}"#,
        "x".repeat(2000)
    );
    let told = world.client().post_raw("application/json", large.clone()).await;
    assert_eq!((told.status, told.code()), (413, "BODY_TOO_LARGE"));
    let mut stream = tokio::net::TcpStream::connect(world.gateway.addr())
        .await
        .expect("connects");
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream
        .write_all(format!("{head}{:x}\r\n{large}\r\n0\r\n\r\n", large.len()).as_bytes())
        .await
        .expect("sent");
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn a_body_that_never_ends_is_408() {
    let world = World::with(|config| config.limits.body_timeout = Duration::from_millis(200)).await;
    let mut stream = tokio::net::TcpStream::connect(world.gateway.addr())
        .await
        .expect("connects");
    let head =
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.expect("sent");
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 408"));
}

async fn read_head(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut bytes))
        .await
        .expect("in time")
        .expect("read");
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

#[tokio::test]
async fn headers_over_the_limit_are_431() {
    let world = World::start().await;
    let answer = world
        .client()
        .header("x-big", &"x".repeat(20_000))
        .query("{ me { id } }")
        .await;
    assert_eq!((answer.status, answer.code()), (431, "HEADERS_TOO_LARGE"));
}

#[tokio::test]
async fn the_request_id_travels_and_comes_back() {
    let world = World::start().await;
    let answer = world
        .client()
        .header("x-request-id", "order-7")
        .query("{ me { id } }")
        .await;
    assert_eq!(answer.header("x-request-id"), "order-7");
    let (headers, _) = world.accounts.requests().pop().expect("a call");
    assert_eq!(headers["x-request-id"], "order-7");
    assert!(headers["traceparent"].to_str().expect("text").starts_with("00-"));
    let made = world.query("{ me { id } }").await;
    assert_eq!(made.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn only_named_headers_travel_on() {
    let world = World::with(|config| config.headers.propagate = vec!["x-tenant".into()]).await;
    let mut client = world.client().header("x-tenant", "a");
    for name in [
        "x-user-id",
        "x-baedal-proof",
        "x-forwarded-for",
        "cookie",
        "authorization",
    ] {
        client = client.header(name, "Bearer v");
    }
    client.query("{ me { id } }").await.data();
    let (headers, _) = world.accounts.requests().pop().expect("a call");
    assert_eq!(headers["x-tenant"], "a");
    for name in [
        "x-user-id",
        "x-baedal-proof",
        "x-forwarded-for",
        "cookie",
        "authorization",
    ] {
        assert!(
            !headers.contains_key(name),
            "{name} must not travel in an open gateway"
        );
    }
}

#[tokio::test]
async fn health_tells_live_and_ready() {
    let world = World::start().await;
    let base = world.gateway.url().replace("/graphql", "");
    let get = |path: &str| {
        let client = Client::new(format!("{base}{path}"));
        async move { client.method("GET").await }
    };
    assert_eq!(get("/health/live").await.status, 200);
    let ready = get("/health/ready").await;
    assert_eq!(
        (ready.status, &ready.body["status"]),
        (200, &json!("ready")),
        "{ready:?}"
    );
    assert_eq!(get("/nothing").await.status, 404);
}

#[tokio::test]
async fn cors_names_only_configured_origins() {
    let world = World::with(|config| config.cors.origins = vec!["https://app.example".into()]).await;
    let allowed = |origin: &'static str| {
        let client = world.client().header("origin", origin);
        async move {
            client
                .query("{ me { id } }")
                .await
                .header("access-control-allow-origin")
                .to_owned()
        }
    };
    assert_eq!(allowed("https://app.example").await, "https://app.example");
    assert_eq!(allowed("https://evil.example").await, "");
    assert_eq!(allowed("null").await, "");
    let plain = World::start().await;
    let answer = plain
        .client()
        .header("origin", "https://app.example")
        .query("{ me { id } }")
        .await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_stop_answers_requests_under_way_and_refuses_new_ones() {
    let world = World::start().await;
    world.accounts.set_mode(Mode::Slow(Duration::from_millis(500)));
    let client = world.client();
    let url = client.url.clone();
    let under_way = tokio::spawn(async move { client.query("{ me { id } }").await });
    tokio::time::sleep(Duration::from_millis(150)).await;
    world.gateway.shutdown().await;
    assert_eq!(
        *under_way.await.expect("no panic").data(),
        json!({"me": {"id": "1"}})
    );
    assert!(reqwest::get(url).await.is_err(), "nobody listens any more");
}

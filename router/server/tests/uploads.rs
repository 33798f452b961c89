//! Files in variables (`uploads`), by the GraphQL multipart request specification.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use baedal_router::config::{SubgraphConfig, UploadsConfig};
use baedal_router::{Config, Running};
use futures_util::StreamExt;
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Answer, Client, eventually};

const SDL: &str = "
scalar Upload
input Form { title: String, file: Upload!, more: [Upload] }
type Query { hello: String, look(file: Upload!): String, thing: Thing }
type Thing @key(fields: \"id\") { id: ID! }
type Mutation { store(file: Upload!, note: String): String, storeAll(files: [Upload!]!): String, storeIn(form: Form!): String }
";
const OTHER: &str = "
scalar Upload
type Query { other(file: Upload!): String }
type Thing @key(fields: \"id\") { id: ID!, compare(file: Upload!): Boolean }
type Mutation { keep(file: Upload!): String }
";
const STORE: &str = "mutation($file: Upload!, $note: String) { store(file: $file, note: $note) }";

/// How it takes files.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Manner {
    Well,
    /// Answers before it reads.
    Early,
    /// Takes its time.
    Never,
}

/// A server that says what it was sent.
#[derive(Clone)]
struct Taker {
    addr: SocketAddr,
    sdl: &'static str,
    manner: Arc<Mutex<Manner>>,
    /// Bytes of bodies so far, and bodies that ended well, or broke off.
    seen: Arc<Mutex<(usize, usize, usize)>>,
}

impl Taker {
    async fn start(sdl: &'static str) -> Taker {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let taker = Taker {
            addr: listener.local_addr().expect("an address"),
            sdl,
            manner: Arc::new(Mutex::new(Manner::Well)),
            seen: Arc::default(),
        };
        let app = Router::new()
            .route("/graphql", axum::routing::any(take))
            .with_state(taker.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
        taker
    }

    fn manner(&self, manner: Manner) {
        *self.manner.lock().expect("no test has panicked with it") = manner;
    }

    fn seen(&self) -> (usize, usize, usize) {
        *self.seen.lock().expect("no test has panicked with it")
    }

    fn see(&self, change: impl FnOnce(&mut (usize, usize, usize))) {
        change(&mut self.seen.lock().expect("no test has panicked with it"));
    }
}

async fn take(State(taker): State<Taker>, headers: HeaderMap, body: Body) -> String {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let kind = header("content-type").to_owned();
    if let Some(boundary) = kind.strip_prefix("multipart/form-data; boundary=") {
        assert_eq!(header("apollo-require-preflight"), "true");
        assert!(!header("x-request-id").is_empty());
        let manner = *taker.manner.lock().expect("no test has panicked with it");
        match manner {
            Manner::Early => return json!({"errors": [{"message": "not for you"}]}).to_string(),
            Manner::Never => std::future::pending().await,
            Manner::Well => {}
        }
        let mut stream = body.into_data_stream();
        let mut whole = Vec::new();
        while let Some(chunk) = stream.next().await {
            let Ok(chunk) = chunk else {
                taker.see(|seen| seen.2 += 1);
                return String::new();
            };
            taker.see(|seen| seen.0 += chunk.len());
            whole.extend_from_slice(&chunk);
        }
        taker.see(|seen| seen.1 += 1);
        return answer(&told(&whole, boundary));
    }
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let query = body["query"].as_str().expect("a query");
    let data = match query {
        query if query.contains("_service") => json!({"_service": {"sdl": taker.sdl}}),
        query if query.contains("thing") => json!({"thing": {"__typename": "Thing", "id": "1"}}),
        _ => json!({"hello": body.to_string()}),
    };
    json!({"data": data}).to_string()
}

/// Its parts, apart, by a reader that is not the gateway's.
fn told(body: &[u8], boundary: &str) -> Value {
    let text = String::from_utf8_lossy(body).into_owned();
    let delimiter = format!("--{boundary}");
    let mut parts = text.split(&delimiter);
    assert_eq!(parts.next(), Some(""), "{text}");
    let mut told = BTreeMap::new();
    let mut order = Vec::new();
    for part in parts {
        if part == "--\r\n" {
            return json!({"parts": told, "order": order});
        }
        let (head, data) = part.split_once("\r\n\r\n").expect("a head");
        let name = head
            .split("name=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let name = name.expect("a name").to_owned();
        let data = data
            .strip_suffix("\r\n")
            .expect("a line break before the boundary");
        order.push(name.clone());
        let value = match name.as_str() {
            "operations" | "map" => serde_json::from_str(data).expect("JSON"),
            _ => json!({"head": head.trim_start(), "data": data}),
        };
        told.insert(name, value);
    }
    panic!("no end: {text}");
}

fn answer(told: &Value) -> String {
    let query = told["parts"]["operations"]["query"].as_str().expect("a query");
    let fields = ["storeAll", "storeIn", "store", "look"];
    let field = fields
        .into_iter()
        .find(|field| query.contains(field))
        .expect("a field");
    json!({"data": {field: told.to_string()}}).to_string()
}

struct World {
    files: Taker,
    gateway: Running,
}

async fn world(change: impl FnOnce(&mut UploadsConfig)) -> World {
    let (files, other) = (Taker::start(SDL).await, Taker::start(OTHER).await);
    let mut config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        ..Config::default()
    };
    config.uploads.enabled = true;
    change(&mut config.uploads);
    for (name, taker) in [("files", &files), ("other", &other)] {
        let url = format!("http://{}/graphql", taker.addr).parse().expect("a URL");
        config.subgraphs.insert(name.to_owned(), SubgraphConfig::at(url));
    }
    let gateway = baedal_router::start(config).await.expect("the gateway starts");
    World { files, gateway }
}

const KIND: &str = "multipart/form-data; boundary=X";

fn part(head: &str, data: &str) -> String {
    format!("--X\r\nContent-Disposition: form-data; {head}\r\n\r\n{data}\r\n")
}

/// A body with these files.
fn form(operations: &Value, map: &Value, files: &[(&str, &str)]) -> String {
    let mut body = part("name=\"operations\"", &operations.to_string());
    body += &part("name=\"map\"", &map.to_string());
    for (name, data) in files {
        body += &part(
            &format!("name=\"{name}\"; filename=\"{name}.txt\"\r\nContent-Type: text/plain"),
            data,
        );
    }
    body + "--X--\r\n"
}

fn store() -> Value {
    json!({"query": STORE, "variables": {"file": null, "note": "n"}})
}

impl World {
    fn client(&self) -> Client {
        Client::new(self.gateway.url()).header("apollo-require-preflight", "1")
    }

    async fn post(&self, body: impl Into<reqwest::Body>) -> Answer {
        self.client().post_raw(KIND, body).await
    }

    /// What the subgraph was sent.
    async fn sent(&self, body: String, field: &str) -> Value {
        let answer = self.post(body).await;
        let told = answer.data()[field].as_str().expect("a text").to_owned();
        serde_json::from_str(&told).expect("JSON")
    }
}

#[tokio::test]
async fn a_file_goes_where_its_variable_goes() {
    let world = world(|_| ()).await;
    let body = form(
        &store(),
        &json!({"0": ["variables.file"]}),
        &[("0", "first\r\n--X\r\r\n--Y")],
    );
    // The boundary's own line in the data would end it.
    let body = body.replace("first\r\n--X\r", "first\r\n-X\r");
    let sent = world.sent(body, "store").await;
    assert_eq!(sent["order"], json!(["operations", "map", "0"]));
    let variables = json!({"file": null, "note": "n"});
    assert_eq!(sent["parts"]["operations"]["variables"], variables);
    assert_eq!(sent["parts"]["map"], json!({"0": ["variables.file"]}));
    assert_eq!(sent["parts"]["0"]["data"], "first\r\n-X\r\r\n--Y");
    assert_eq!(
        sent["parts"]["0"]["head"],
        "content-disposition: form-data; name=\"0\"; filename=\"0.txt\"\r\ncontent-type: text/plain"
    );
}

/// Who sends a file gets one answer, whatever it defers: the rest of it is not there before the file is.
#[tokio::test]
async fn a_request_with_files_is_answered_whole() {
    let world = world(|_| ()).await;
    let query = "mutation($file: Upload!) { store(file: $file) ... on Mutation { __typename } }";
    let deferred = "query($file: Upload!) { look(file: $file) ... @defer { hello } }";
    for query in [query, deferred] {
        let operations = json!({"query": query, "variables": {"file": null}});
        let body = form(&operations, &json!({"0": ["variables.file"]}), &[("0", "x")]);
        let request = reqwest::Client::new()
            .post(world.gateway.url())
            .header("content-type", KIND)
            .header("accept", "multipart/mixed;incrementalSpec=v0.2, application/json")
            .header("apollo-require-preflight", "1")
            .body(body);
        let answer = request.send().await.expect("an answer");
        let kind = answer.headers()["content-type"]
            .to_str()
            .expect("text")
            .to_owned();
        assert!(kind.starts_with("application/json"), "{kind}");
        let text = answer.text().await.expect("text");
        assert!(!text.contains("hasNext") && text.contains("\"data\":{"), "{text}");
    }
}

#[tokio::test]
async fn lists_inputs_and_files_of_two_places_work() {
    let world = world(|_| ()).await;
    let all = json!({"query": "mutation($f: [Upload!]!) { storeAll(files: $f) }", "variables": {"f": [null, null]}});
    let map = json!({"a": ["variables.f.0"], "b": ["variables.f.1"]});
    let sent = world
        .sent(form(&all, &map, &[("b", "2"), ("a", "1")]), "storeAll")
        .await;
    assert_eq!(
        sent["order"],
        json!(["operations", "map", "b", "a"]),
        "as they came"
    );
    assert_eq!(sent["parts"]["map"], map);
    assert_eq!(
        (&sent["parts"]["a"]["data"], &sent["parts"]["b"]["data"]),
        (&json!("1"), &json!("2"))
    );
    let form_of = json!({"title": "t", "file": null, "more": [null, null]});
    let input = json!({"query": "mutation($x: Form!) { storeIn(form: $x) }", "variables": {"x": form_of}});
    let map = json!({"0": ["variables.x.file", "variables.x.more.1"]});
    let sent = world.sent(form(&input, &map, &[("0", "")]), "storeIn").await;
    assert_eq!(sent["parts"]["operations"]["variables"]["x"], form_of);
    assert_eq!(sent["parts"]["map"], map);
    assert_eq!(sent["parts"]["0"]["data"], "");
    let query = json!({"query": "query($f: Upload!) { hello look(file: $f) }", "variables": {"f": null}});
    world
        .sent(
            form(&query, &json!({"0": ["variables.f"]}), &[("0", "x")]),
            "look",
        )
        .await;
}

#[tokio::test]
async fn a_file_goes_on_as_it_comes() {
    let world = world(|_| ()).await;
    let body = form(
        &store(),
        &json!({"0": ["variables.file"]}),
        &[("0", &"x".repeat(200_000))],
    );
    let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connected");
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: {KIND}\r\napollo-require-preflight: 1\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let (first, rest) = body.split_at(100_000);
    stream
        .write_all((head + first).as_bytes())
        .await
        .expect("written");
    eventually("the subgraph has what was sent", || async {
        world.files.seen().0 > 90_000
    })
    .await;
    assert_eq!(world.files.seen().1, 0);
    stream.write_all(rest.as_bytes()).await.expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.contains("{\"data\":{\"store\":"), "{answer}");
    assert_eq!((world.files.seen().1, world.files.seen().2), (1, 0));
}

#[tokio::test]
async fn what_the_subgraph_does_not_read_is_not_read() {
    let world = world(|uploads| {
        uploads.file_bytes = 1 << 30;
        uploads.total_bytes = 1 << 30;
    })
    .await;
    world.files.manner(Manner::Never);
    let body = form(&store(), &json!({"0": ["variables.file"]}), &[("0", "")]);
    let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connected");
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: {KIND}\r\napollo-require-preflight: 1\r\n\
         content-length: 1000000000\r\n\r\n{}",
        body.strip_suffix("\r\n--X--\r\n").expect("its end")
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    let block = vec![b'x'; 256 << 10];
    let mut blocks = 0;
    // What the system's buffers hold, and no more.
    while tokio::time::timeout(Duration::from_secs(1), stream.write_all(&block))
        .await
        .is_ok()
    {
        blocks += 1;
        assert!(blocks < 256, "64 MiB were taken that nobody reads");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_takes_the_request_with_it() {
    let world = world(|_| ()).await;
    for round in 1..=20 {
        let body = form(
            &store(),
            &json!({"0": ["variables.file"]}),
            &[("0", &"x".repeat(200_000))],
        );
        let mut stream = TcpStream::connect(world.gateway.addr()).await.expect("connected");
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: {KIND}\r\napollo-require-preflight: 1\r\n\
             content-length: {}\r\n\r\n{}",
            body.len(),
            &body[..150_000]
        );
        let before = world.files.seen().0;
        stream.write_all(head.as_bytes()).await.expect("written");
        eventually("something arrives", || async { world.files.seen().0 > before }).await;
        drop(stream);
        eventually("it has broken off there, too", || async {
            world.files.seen().2 == round
        })
        .await;
    }
    assert_eq!(world.files.seen().1, 0);
    // Nobody blames the subgraph.
    let body = form(&store(), &json!({"0": ["variables.file"]}), &[("0", "x")]);
    assert_eq!(world.post(body).await.status, 200);
}

#[tokio::test]
async fn a_subgraph_may_answer_before_it_has_read() {
    let world = world(|_| ()).await;
    world.files.manner(Manner::Early);
    let body = form(
        &store(),
        &json!({"0": ["variables.file"]}),
        &[("0", &"x".repeat(3_000_000))],
    );
    let answer = world.post(body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.errors().is_empty(), "{answer:?}");
}

#[tokio::test]
async fn every_malformed_body_is_refused() {
    let world = world(|_| ()).await;
    let map = json!({"0": ["variables.file"]});
    let good = form(&store(), &map, &[("0", "x")]);
    let operations = part("name=\"operations\"", &store().to_string());
    let maps = part("name=\"map\"", &map.to_string());
    let file = part("name=\"0\"", "x");
    let end = "--X--\r\n";
    let mapped = |map: Value| form(&store(), &map, &[("0", "x")]);
    let asked = |operations: Value| form(&operations, &map, &[("0", "x")]);
    for (body, code) in [
        (String::new(), "UPLOAD_INVALID"),
        (end.to_owned(), "UPLOAD_INVALID"),
        ("nonsense".repeat(5_000), "UPLOAD_INVALID"),
        (good.replace("--X", "--Y"), "UPLOAD_INVALID"),
        (good.replace(end, ""), "UPLOAD_INVALID"),
        (good.replace(end, "--X-"), "UPLOAD_INVALID"),
        (good.replace(end, "--Xnonsense"), "UPLOAD_INVALID"),
        (format!("{operations}{end}"), "UPLOAD_INVALID"),
        (format!("{maps}{operations}{file}{end}"), "UPLOAD_INVALID"),
        (format!("{operations}{file}{maps}{end}"), "UPLOAD_INVALID"),
        (format!("{operations}{maps}{end}"), "UPLOAD_INVALID"),
        (format!("{operations}{maps}{file}{file}{end}"), "UPLOAD_INVALID"),
        (
            format!("{operations}{maps}{}{end}", part("name=\"1\"", "x")),
            "UPLOAD_INVALID",
        ),
        (good.replace("name=\"0\";", "nome=\"0\";"), "UPLOAD_INVALID"),
        (
            good.replace("form-data; name=\"0\"", "attachment; name=\"0\""),
            "UPLOAD_INVALID",
        ),
        (
            good.replace("Content-Type: text", "Content Type: text"),
            "UPLOAD_INVALID",
        ),
        (good.replace("text/plain", &"x".repeat(10_000)), "UPLOAD_INVALID"),
        (mapped(json!({})), "UPLOAD_INVALID"),
        (mapped(json!([])), "UPLOAD_INVALID"),
        (mapped(json!({"0": ["variables.note"]})), "UPLOAD_INVALID"),
        (mapped(json!({"0": ["variables.nothing"]})), "UPLOAD_INVALID"),
        (mapped(json!({"0": ["0.variables.file"]})), "UPLOAD_INVALID"),
        (asked(json!([store()])), "BATCHING_DISABLED"),
        (asked(json!({"query": 1})), "BAD_REQUEST"),
        (good.replace("\"query\":", "\"query\""), "INVALID_JSON"),
        (
            asked(json!({"query": "{ nobody }", "variables": {"file": null}})),
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ] {
        let answer = world.post(body.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, code),
            "{}",
            &body[..body.len().min(500)]
        );
    }
    assert_eq!(world.files.seen().1, 0, "no whole request came of it");
    assert_eq!(world.post(good).await.status, 200);
}

#[tokio::test]
async fn uploads_are_off_unless_they_are_on_and_never_forged() {
    let body = form(&store(), &json!({"0": ["variables.file"]}), &[("0", "x")]);
    let off = world(|uploads| uploads.enabled = false).await;
    let answer = off.post(body.clone()).await;
    assert_eq!((answer.status, answer.code()), (415, "UNSUPPORTED_MEDIA_TYPE"));
    let on = world(|_| ()).await;
    let forged = Client::new(on.gateway.url()).post_raw(KIND, body.clone()).await;
    assert_eq!((forged.status, forged.code()), (400, "CSRF_REFUSED"));
    for kind in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=X",
    ] {
        let answer = on.client().post_raw(kind, body.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (415, "UNSUPPORTED_MEDIA_TYPE"),
            "{kind}"
        );
    }
    assert_eq!(on.post(body).await.status, 200);
}

#[tokio::test]
async fn files_are_bounded_in_number_and_size() {
    let world = world(|uploads| {
        uploads.files = 2;
        uploads.file_bytes = 1_000;
        uploads.total_bytes = 1_500;
    })
    .await;
    let post = async |sizes: &[usize]| {
        let names: Vec<String> = (0..sizes.len()).map(|number| number.to_string()).collect();
        let data: Vec<String> = sizes.iter().map(|size| "x".repeat(*size)).collect();
        let files: Vec<(&str, &str)> = names
            .iter()
            .map(String::as_str)
            .zip(data.iter().map(String::as_str))
            .collect();
        let places = |name: &String| (name.clone(), json!([format!("variables.f.{name}")]));
        let map: serde_json::Map<String, Value> = names.iter().map(places).collect();
        let nulls = vec![Value::Null; sizes.len()];
        let all =
            json!({"query": "mutation($f: [Upload!]!) { storeAll(files: $f) }", "variables": {"f": nulls}});
        let answer = world.post(form(&all, &map.into(), &files)).await;
        (answer.status, answer.code().to_owned())
    };
    assert_eq!(post(&[1_000, 500]).await, (200, String::new()));
    for over in [&[1_001][..], &[800, 800], &[1, 1, 1]] {
        assert_eq!(post(over).await, (413, "UPLOAD_TOO_LARGE".to_owned()), "{over:?}");
    }
}

#[tokio::test]
async fn files_that_cannot_be_passed_on_at_once_are_refused() {
    let world = world(|_| ()).await;
    for (query, why) in [
        (
            "query($f: Upload!) { look(file: $f) other(file: $f) }",
            "two calls",
        ),
        (
            "query($f: Upload!) { thing { compare(file: $f) } }",
            "after another call",
        ),
        (
            "mutation($f: Upload!) { a: store(file: $f) keep(file: $f) }",
            "two calls",
        ),
    ] {
        let operations = json!({"query": query, "variables": {"f": null}});
        let answer = world
            .post(form(&operations, &json!({"0": ["variables.f"]}), &[("0", "x")]))
            .await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "UPLOAD_NOT_STREAMABLE"),
            "{answer:?}"
        );
        let text = answer.errors()[0]["message"].as_str().expect("a message");
        assert!(text.contains(why), "{text}");
    }
    // Where nobody takes it, it does not matter.
    let skipped = json!({
        "query": "query($f: Upload!, $no: Boolean = false) { hello look(file: $f) @include(if: $no) }",
        "variables": {"f": null},
    });
    let answer = world
        .post(form(&skipped, &json!({"0": ["variables.f"]}), &[("0", "x")]))
        .await;
    assert!(answer.data()["hello"].is_string(), "{answer:?}");
}

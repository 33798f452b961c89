//! What the gateway tells about itself: metrics, traces, the access log, signs of life.

use std::process::Stdio;
use std::time::Duration;

use baedal_router::config::{NamedContractConfig, TracesConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::support::{Client, Journal, Mode, World, eventually, graphs};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn told() -> World {
    World::with(|config| config.metrics.listen = Some(([127, 0, 0, 1], 0).into())).await
}

async fn page(world: &World) -> String {
    let addr = world.gateway.metrics_addr().expect("metrics are served");
    let answer = reqwest::get(format!("http://{addr}/metrics"))
        .await
        .expect("sent");
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    answer.text().await.expect("a page")
}

fn value(page: &str, line: &str) -> Option<f64> {
    let found = page.lines().find_map(|each| each.strip_prefix(line))?;
    found.trim().parse().ok()
}

#[tokio::test]
async fn contracts_are_told_apart() {
    let world = World::with(|config| {
        config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
        config.contracts = vec![NamedContractConfig {
            name: "partners".to_owned(),
            path: "/partners".to_owned(),
            include: Default::default(),
            exclude: ["internal".to_owned()].into(),
        }];
    })
    .await;
    let partners = Client::new(world.gateway.url().replace("/graphql", "/partners"));
    world.query("query Mine { me { id } }").await.data();
    for _ in 0..2 {
        partners.query("query Mine { me { id } }").await.data();
    }
    partners.query("{ nonsense }").await;
    world.accounts.set_mode(Mode::Says(500, "broken"));
    assert_eq!(partners.query("{ me { name } }").await.errors().len(), 1);
    let page = page(&world).await;
    let count = |name: &str, labels: &str| value(&page, &format!("{name}{{{labels}}}"));
    let mine = "operation=\"Mine\",outcome=\"ok\"";
    let requests = "baedal_router_request_seconds_count";
    assert_eq!(count(requests, mine), Some(1.0), "{page}");
    let partners = |labels: &str| format!("{labels},contract=\"partners\"");
    assert_eq!(count(requests, &partners(mine)), Some(2.0), "{page}");
    let invalid = "code=\"GRAPHQL_VALIDATION_FAILED\"";
    assert_eq!(count("baedal_router_refused_total", invalid), None);
    assert_eq!(
        count("baedal_router_refused_total", &partners(invalid)),
        Some(1.0)
    );
    let failed = partners("code=\"SUBGRAPH_HTTP_ERROR\"");
    assert_eq!(count("baedal_router_errors_total", &failed), Some(1.0));
    let misses = "cache=\"documents\",outcome=\"miss\"";
    let lookups = "baedal_router_cache_lookups_total";
    assert_eq!(count(lookups, misses), Some(1.0), "{page}");
    assert_eq!(count(lookups, &partners(misses)), Some(3.0), "{page}");
    let served = page
        .lines()
        .filter(|line| line.starts_with("baedal_router_schema_info{"));
    let of_contract = served
        .map(|line| line.contains("contract=\"partners\""))
        .collect::<Vec<_>>();
    assert_eq!(of_contract, [false, true], "{page}");
}

#[tokio::test]
async fn requests_are_counted_by_operation_and_calls_by_subgraph() {
    let world = told().await;
    for _ in 0..2 {
        world.query("query Mine { me { id } }").await.data();
    }
    world.query("{ me { id } }").await.data();
    world.query("{ nonsense }").await;
    world.accounts.set_mode(Mode::Says(500, "broken"));
    assert_eq!(world.query("query Mine { me { id } }").await.errors().len(), 1);
    let page = page(&world).await;
    let count = |name: &str, labels: &str| value(&page, &format!("{name}{{{labels}}}"));
    let requests = |labels| count("baedal_router_request_seconds_count", labels);
    assert_eq!(requests("operation=\"Mine\",outcome=\"ok\""), Some(2.0), "{page}");
    assert_eq!(requests("operation=\"Mine\",outcome=\"error\""), Some(1.0));
    assert_eq!(requests("operation=\"anonymous\",outcome=\"ok\""), Some(1.0));
    assert_eq!(requests("operation=\"none\",outcome=\"refused\""), Some(1.0));
    let refused = count(
        "baedal_router_refused_total",
        "code=\"GRAPHQL_VALIDATION_FAILED\"",
    );
    assert_eq!(refused, Some(1.0), "{page}");
    assert_eq!(
        count("baedal_router_errors_total", "code=\"SUBGRAPH_HTTP_ERROR\""),
        Some(1.0)
    );
    let calls = |labels| count("baedal_router_subgraph_seconds_count", labels);
    assert_eq!(calls("subgraph=\"accounts\",outcome=\"ok\""), Some(3.0));
    assert_eq!(
        calls("subgraph=\"accounts\",outcome=\"SUBGRAPH_HTTP_ERROR\""),
        Some(1.0)
    );
    let lookups = |labels| count("baedal_router_cache_lookups_total", labels);
    assert_eq!(lookups("cache=\"documents\",outcome=\"hit\""), Some(2.0));
    assert_eq!(lookups("cache=\"documents\",outcome=\"miss\""), Some(3.0));
    assert_eq!(lookups("cache=\"programs\",outcome=\"hit\""), Some(2.0));
    assert_eq!(value(&page, "baedal_router_requests_in_flight "), Some(0.0));
    assert_eq!(
        count("baedal_router_schema_reloads_total", "result=\"served\""),
        Some(1.0)
    );
    assert!(page.contains("origin=\"composed\"} 1\n"), "{page}");
    assert!(
        page.contains("baedal_event_loop_lag_seconds{loop=\"serve-1\"}"),
        "{page}"
    );
}

#[tokio::test]
async fn metrics_have_an_address_of_their_own() {
    let world = told().await;
    let public = reqwest::get(format!("http://{}/metrics", world.gateway.addr())).await;
    assert_eq!(public.expect("sent").status().as_u16(), 404);
    let addr = world.gateway.metrics_addr().expect("metrics are served");
    for path in ["live", "ready"] {
        let answer = reqwest::get(format!("http://{addr}/health/{path}"))
            .await
            .expect("sent");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
    }
    let ready = value(&page(&world).await, "baedal_router_ready{state=\"ready\"}");
    assert_eq!(ready, Some(1.0));
    let graph = reqwest::get(format!("http://{addr}/graphql"))
        .await
        .expect("sent");
    assert_eq!(graph.status().as_u16(), 404, "and nothing but them");
}

#[tokio::test]
async fn sockets_and_subscriptions_are_gauges() {
    let world = told().await;
    let socket = world.socket().await;
    eventually("the socket is counted", || async {
        value(&page(&world).await, "baedal_router_sockets ") == Some(1.0)
    })
    .await;
    drop(socket);
    eventually("the socket is gone", || async {
        value(&page(&world).await, "baedal_router_sockets ") == Some(0.0)
    })
    .await;
}

/// A collector that hands on what it is sent.
async fn collector() -> (String, mpsc::UnboundedReceiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (told, bodies) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let told = told.clone();
            tokio::spawn(async move {
                let mut room = vec![0; 64 * 1024];
                while let Ok(count @ 1..) = stream.read(&mut room).await {
                    let _ = told.send(room[..count].to_vec());
                    let _ = stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                        .await;
                }
            });
        }
    });
    (url, bodies)
}

#[tokio::test]
async fn calls_are_spans_below_the_request_in_the_clients_trace() {
    let (url, mut bodies) = collector().await;
    let endpoint = Some(url.parse().expect("a URL"));
    let world = World::with(|config| {
        config.traces = TracesConfig {
            endpoint,
            ratio: 0.0,
            ..TracesConfig::default()
        }
    })
    .await;
    world.query("{ me { id } }").await.data();
    let (unsampled, _) = world.accounts.requests().pop().expect("a call");
    assert!(unsampled["traceparent"].to_str().expect("text").ends_with("-00"));
    let client = world.client().header("traceparent", PARENT);
    client.query("query Mine { me { id } }").await.data();
    let (headers, _) = world.accounts.requests().pop().expect("a call");
    let sent = headers["traceparent"].to_str().expect("text").to_owned();
    assert_eq!(sent[..35], PARENT[..35], "the client's trace");
    assert_ne!(sent[36..52], PARENT[36..52], "a span of its own");
    assert!(sent.ends_with("-01"), "{sent}");
    let mut all = Vec::new();
    let has = |all: &[u8], text: &[u8]| all.windows(text.len()).any(|window| window == text);
    let deadline = Duration::from_secs(10);
    while !(has(&all, b"subgraph accounts") && has(&all, b"Mine")) {
        let body = tokio::time::timeout(deadline, bodies.recv()).await;
        all.extend(body.expect("spans come").expect("the collector lives"));
    }
    let span = u64::from_str_radix(&sent[36..52], 16).expect("hexadecimal");
    assert!(
        has(&all, &span.to_be_bytes()),
        "the span that the subgraph was told"
    );
    assert!(!has(&all, b"anonymous"), "what is not sampled is not told");
}

#[tokio::test]
async fn the_access_log_tells_of_requests_but_nothing_secret() {
    let accounts = graphs::accounts(&Journal::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("router.yaml");
    let config = format!(
        "listen: 127.0.0.1:0\nsubgraphs: {{ accounts: {{ url: \"{}\" }} }}\nlog: {{ access: true, slow: 1ms }}\n",
        accounts.url()
    );
    std::fs::write(&file, config).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_baedal-router"))
        .args(["serve", "--config"])
        .arg(&file)
        .env("BAEDAL_LOG", "json")
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let line = lines.next_line().await.expect("a line").expect("a line");
    let url = line
        .strip_prefix("baedal-router: GraphQL at ")
        .expect("the announcement");
    let client = Client::new(url.to_owned())
        .header("x-request-id", "mine-7")
        .bearer("sesame.open.now");
    accounts.set_mode(Mode::Slow(Duration::from_millis(20)));
    let query = "query Mine($hidden: Boolean!) { me { id @skip(if: $hidden) name } }";
    client
        .with_variables(query, json!({ "hidden": false }))
        .await
        .data();
    client.post(json!({ "query": "{ me { secretfield } }" })).await;
    child.start_kill().expect("killed");
    let output = child.wait_with_output().await.expect("an exit");
    let log = String::from_utf8(output.stderr).expect("text");
    let entries: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect();
    let of =
        |target: &str| -> Vec<&Value> { entries.iter().filter(|entry| entry["target"] == target).collect() };
    let access = of("baedal_router::access");
    assert_eq!(access.len(), 2, "{log}");
    let first = access[0];
    assert_eq!(first["request_id"], "mine-7", "{first}");
    assert_eq!(
        (&first["operation"], &first["status"]),
        (&json!("Mine"), &json!(200))
    );
    assert_eq!(
        (&first["subgraph_calls"], &first["errors"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(first["hash"].as_str().map(str::len), Some(16));
    assert!(
        first["duration_ms"].as_f64().is_some_and(|took| took >= 20.0),
        "{first}"
    );
    assert!(first["bytes"].as_u64().is_some_and(|bytes| bytes > 10), "{first}");
    assert_eq!(access[1]["codes"], "GRAPHQL_VALIDATION_FAILED");
    let slow = of("baedal_router::slow");
    assert_eq!(slow.len(), 1, "{log}");
    assert!(
        slow[0]["plan"]
            .as_str()
            .is_some_and(|plan| plan.contains("accounts")),
        "{log}"
    );
    assert!(
        !log.contains("sesame") && !log.contains("hidden\":false"),
        "{log}"
    );
}

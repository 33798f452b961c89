//! Several requests in one body (`batching`).

use std::num::NonZeroU32;
use std::time::Duration;

use baedal_router::config::RateConfig;
use serde_json::{Value, json};

use crate::support::{Answer, Issuer, Mode, World, auth_of};

const QUERY: &str = "{ me { name } }";

async fn batching() -> World {
    World::with(|config| config.batching.enabled = true).await
}

async fn post(world: &World, body: Value) -> Answer {
    world.client().post(body).await
}

fn code(entry: &Value) -> &str {
    entry["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_requests() {
    let world = batching().await;
    // The first is the last to be ready.
    world.accounts.set_mode(Mode::Slow(Duration::from_millis(100)));
    let body = json!([
        {"query": QUERY},
        {"query": "query A($u: ID!) { product(upc: $u) { name } }", "variables": {"u": "top-3"}},
        {"query": "query A { me { id } } query B { product(upc: \"top-1\") { name } }", "operationName": "B"},
        {"query": "mutation { productsStep(step: 7) }"},
    ]);
    let answer = post(&world, body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        "application/graphql-response+json; charset=utf-8"
    );
    let wanted = json!([
        {"data": {"me": {"name": "Ada"}}},
        {"data": {"product": {"name": "Cup"}}},
        {"data": {"product": {"name": "Table"}}},
        {"data": {"productsStep": 7}},
    ]);
    assert_eq!(answer.body, wanted);
    assert_eq!(world.journal.read(), [7]);
}

#[tokio::test]
async fn what_is_wrong_with_one_leaves_the_others() {
    let world = batching().await;
    let deep = format!("{}{}", "{ me ".repeat(20), "}".repeat(20));
    let body = json!([
        {"query": "{ nobody }"},
        7,
        {"query": "{ me {"},
        {},
        {"query": "subscription { sold { upc } }"},
        [{"query": QUERY}],
        {"query": deep},
        {"query": "{ refuse }"},
        {"query": QUERY, "variables": []},
        {"query": QUERY},
    ]);
    let answer = post(&world, body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let entries = answer.body.as_array().expect("an array");
    let codes: Vec<&str> = entries.iter().map(code).collect();
    let wanted = [
        "GRAPHQL_VALIDATION_FAILED",
        "BAD_REQUEST",
        "GRAPHQL_PARSE_FAILED",
        "BAD_REQUEST",
        "SUBSCRIPTION_NEEDS_WEBSOCKET",
        "BATCHING_DISABLED",
        "DEPTH_LIMIT_EXCEEDED",
        "EMPTY_SHELF",
        "INVALID_VARIABLES",
        "",
    ];
    assert_eq!(codes, wanted, "{:#}", answer.body);
    assert_eq!(entries[9], json!({"data": {"me": {"name": "Ada"}}}));
}

#[tokio::test]
async fn a_body_is_bounded_as_a_whole() {
    let world = World::with(|config| {
        config.batching.enabled = true;
        config.batching.max = 3;
        config.limits.body_bytes = 4_000;
        config.limits.json_values = 50;
    })
    .await;
    let many = |count: usize| Value::from(vec![json!({"query": QUERY}); count]);
    assert_eq!(post(&world, many(3)).await.status, 200);
    let filler = json!({"query": QUERY, "variables": {"x": "x".repeat(4_000)}});
    let values = json!({"query": QUERY, "variables": {"x": vec![1; 50]}});
    for (body, status, code) in [
        (many(4), 400, "BATCH_TOO_LARGE"),
        (json!([]), 400, "BAD_REQUEST"),
        (json!([filler]), 413, "BODY_TOO_LARGE"),
        (json!([values]), 413, "JSON_TOO_MANY_VALUES"),
    ] {
        let answer = post(&world, body.clone()).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{body}");
    }
    for broken in ["[", "[{}", "[,]", "[{}]x"] {
        let answer = world.client().post_raw("application/json", broken).await;
        assert_eq!((answer.status, answer.code()), (400, "INVALID_JSON"), "{broken}");
    }
}

#[tokio::test]
async fn each_counts_for_rate_limits_and_has_its_own_rights() {
    let issuer = Issuer::start().await;
    let auth = auth_of(&[&issuer]);
    let world = World::with(|config| {
        config.auth = Some(auth);
        config.batching.enabled = true;
        config.traffic.rate_limits.per_user = Some(RateConfig {
            count: NonZeroU32::new(3).expect("not zero"),
            per: Duration::from_secs(60),
            burst: None,
        });
    })
    .await;
    let client = world.client().bearer(&issuer.token_with(json!({"sub": "u1"})));
    let five = Value::from(vec![json!({"query": QUERY}); 5]);
    let answer = client.post(five.clone()).await;
    let entries = answer.body.as_array().expect("an array");
    let limited = entries
        .iter()
        .filter(|entry| code(entry) == "RATE_LIMITED")
        .count();
    assert_eq!((answer.status, limited), (200, 2), "{answer:?}");
    // Not even the first of the next may come in.
    let answer = client.post(five).await;
    assert_eq!((answer.status, answer.code()), (429, "RATE_LIMITED"));
    let refused = world
        .client()
        .bearer("nonsense")
        .post(json!([{"query": QUERY}]))
        .await;
    assert_eq!((refused.status, refused.code()), (401, "INVALID_TOKEN"));
}

#[tokio::test]
async fn each_is_measured() {
    let world = World::with(|config| {
        config.batching.enabled = true;
        config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
    })
    .await;
    let body = json!([{"query": "query Mine { me { id } }"}, {"query": "query Mine { me { id } }"}, {}]);
    assert_eq!(post(&world, body).await.status, 200);
    let addr = world.gateway.metrics_addr().expect("metrics are served");
    let page = reqwest::get(format!("http://{addr}/metrics"))
        .await
        .expect("sent");
    let page = page.text().await.expect("a page");
    for line in [
        "baedal_router_request_seconds_count{operation=\"Mine\",outcome=\"ok\"} 2",
        "baedal_router_request_seconds_count{operation=\"none\",outcome=\"refused\"} 1",
        "baedal_router_refused_total{code=\"BAD_REQUEST\"} 1",
        "baedal_router_batch_requests_count 1",
        "baedal_router_batch_requests_sum 3",
        "baedal_router_requests_in_flight 0",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
}

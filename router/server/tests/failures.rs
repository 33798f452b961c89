//! What a failing subgraph does to an answer: partial data, null rules, codes, and nothing leaked.

use std::time::Duration;

use serde_json::json;

use crate::support::{Mode, World, eventually};

const JOIN: &str = "{ topProducts { name rank reviews { id } } me { name } }";

#[tokio::test]
async fn an_error_of_a_subgraph_keeps_its_code_and_gets_the_clients_path() {
    let world = World::start().await;
    let answer = world.query("{ r: refuse me { name } }").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["data"], json!({"r": null, "me": {"name": "Ada"}}));
    assert_eq!(answer.code(), "EMPTY_SHELF");
    assert_eq!(answer.errors()[0]["path"], json!(["r"]));
}

#[tokio::test]
async fn extensions_of_a_subgraphs_error_pass_as_configured() {
    let usual = World::start().await.query("{ refuse }").await;
    let all = json!({"code": "EMPTY_SHELF", "service": "products", "retryAfterMs": 250});
    assert_eq!(usual.errors()[0]["extensions"], all);
    let change = |config: &mut baedal_router::Config| {
        config.errors.extensions = Some(["stacktrace".to_owned()].into());
        config.errors.name_subgraphs = false;
    };
    let chosen = World::with(change).await.query("{ refuse }").await;
    let some = json!({"code": "EMPTY_SHELF", "stacktrace": "shelf.rs"});
    assert_eq!(chosen.errors()[0]["extensions"], some);
}

#[tokio::test]
async fn a_client_that_goes_away_stops_its_fetches() {
    let world = World::start().await;
    world.products.set_mode(Mode::Slow(Duration::from_secs(20)));
    let client = world.client();
    let asking = tokio::spawn(async move { client.query(JOIN).await });
    eventually("the subgraph is asked", || async {
        !world.products.requests().is_empty()
    })
    .await;
    assert_eq!(world.products.given_up(), 0);
    asking.abort();
    eventually("the call is given up", || async {
        world.products.given_up() == 1
    })
    .await;
}

#[tokio::test]
async fn an_answer_larger_than_the_limit_is_cut() {
    let world = World::with(|config| config.limits.answer_bytes = 40).await;
    let answer = world.query("{ topProducts { upc name reviews { id } } }").await;
    assert_eq!((answer.status, answer.code()), (200, "ANSWER_TOO_LARGE"));
    assert_eq!(answer.body["data"], json!(null));
}

#[tokio::test]
async fn one_failing_entity_does_not_lose_the_others() {
    let world = World::start().await;
    let answer = world.query("{ topProducts { name rank } }").await;
    let wanted = json!({"topProducts": [{"name": "Table", "rank": 1}, {"name": "Couch", "rank": null}]});
    assert_eq!(answer.body["data"], wanted, "{answer:?}");
    assert!(!answer.errors().is_empty());
    // async-graphql leaves the index out of the path of an entity's error, so it may be told for each of them.
    assert!(
        answer
            .errors()
            .iter()
            .all(|error| error["path"][0] == "topProducts"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn null_in_a_non_null_place_goes_up_to_the_nearest_nullable() {
    let world = World::start().await;
    let answer = world
        .query("{ p: product(upc: \"top-2\") { name stars } q: product(upc: \"top-1\") { stars } }")
        .await;
    assert_eq!(
        answer.body["data"],
        json!({"p": null, "q": {"stars": 4}}),
        "{answer:?}"
    );
    assert!(!answer.errors().is_empty());
    let whole = world.query("{ topProducts { name stars } }").await;
    assert_eq!(whole.body["data"], json!(null));
}

#[tokio::test]
async fn a_subgraph_that_is_down_leaves_partial_data() {
    let mut world = World::start().await;
    let reviews_url = world.reviews.url().to_string();
    let other = crate::support::graphs::accounts(&world.journal).await;
    std::mem::replace(&mut world.reviews, other).stop().await;
    let answer = world.query("{ topProducts { name rank } me { name } }").await;
    assert_eq!(answer.status, 200);
    let wanted = json!({"topProducts": [{"name": "Table", "rank": null}, {"name": "Couch", "rank": null}], "me": {"name": "Ada"}});
    assert_eq!(answer.body["data"], wanted);
    assert_eq!(answer.code(), "SUBGRAPH_UNREACHABLE");
    let text = answer.body["errors"].to_string();
    assert!(
        text.contains("reviews") && !text.contains(&reviews_url) && !text.contains("127.0.0.1"),
        "{text}"
    );
}

#[tokio::test]
async fn every_way_to_answer_badly_has_a_code() {
    let world = World::with(|config| {
        config.traffic.response_bytes = 100_000;
        config.traffic.timeout = Duration::from_millis(300);
    })
    .await;
    for (mode, code) in [
        (
            Mode::Says(500, "java.lang.Exception at 10.0.0.1"),
            "SUBGRAPH_HTTP_ERROR",
        ),
        (Mode::Says(502, "<html>"), "SUBGRAPH_HTTP_ERROR"),
        (Mode::Says(404, "{\"error\":\"x\"}"), "SUBGRAPH_HTTP_ERROR"),
        (
            Mode::Says(200, "<html>10.0.0.1</html>"),
            "SUBGRAPH_MALFORMED_RESPONSE",
        ),
        (Mode::Says(200, ""), "SUBGRAPH_MALFORMED_RESPONSE"),
        (Mode::Huge(200_000), "SUBGRAPH_RESPONSE_TOO_LARGE"),
        (Mode::Slow(Duration::from_secs(5)), "SUBGRAPH_TIMEOUT"),
    ] {
        world.reviews.set_mode(mode);
        let answer = world.query(JOIN).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.code(), code, "{answer:?}");
        assert!(!answer.body.to_string().contains("10.0.0.1"), "{answer:?}");
    }
    world.reviews.set_mode(Mode::Well);
    assert_eq!(
        world
            .query("{ topProducts { reviews { id } } }")
            .await
            .errors()
            .len(),
        0,
        "it recovers at once"
    );
}

#[tokio::test]
async fn a_graphql_body_is_used_whatever_its_status() {
    let world = World::start().await;
    world.accounts.set_mode(Mode::Says(
        400,
        r#"{"data":{"me":null},"errors":[{"message":"no","extensions":{"code":"NO"}}]}"#,
    ));
    let answer = world
        .query("{ me { name } topProducts(first: 1) { name } }")
        .await;
    assert_eq!(answer.code(), "NO", "{answer:?}");
    assert_eq!(
        answer.body["data"],
        json!({"me": null, "topProducts": [{"name": "Table"}]})
    );
}

#[tokio::test]
async fn calls_run_side_by_side() {
    let world = World::start().await;
    for subgraph in [&world.accounts, &world.products, &world.reviews] {
        subgraph.set_mode(Mode::Slow(Duration::from_millis(400)));
    }
    let started = std::time::Instant::now();
    world
        .query("{ me { id } topProducts { upc } latestReviews { id } }")
        .await
        .data();
    assert!(
        started.elapsed() < Duration::from_millis(1000),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn errors_of_subgraphs_can_be_masked() {
    let world = World::with(|config| config.errors.mask_subgraphs = true).await;
    let answer = world.query("{ refuse }").await;
    assert_eq!(answer.errors()[0]["path"], json!(["refuse"]));
    let text = answer.body.to_string();
    assert!(!text.contains("shelf") && !text.contains("SHELF"), "{text}");
}

/// A gateway with a field that no way leads to: `reviews` resolves no `User`.
async fn with_a_gap(accounts: &crate::support::Subgraph, folder: &std::path::Path) -> baedal_router::Running {
    let subgraph = |name: &str, url: String, sdl: &str| baedal_composition::Subgraph {
        name: name.into(),
        url,
        sdl: sdl.into(),
    };
    let composed = baedal_composition::compose(&[
        subgraph(
            "accounts",
            accounts.url().into(),
            "type Query { me: User } type User @key(fields: \"id\") { id: ID! name: String! }",
        ),
        subgraph(
            "reviews",
            "http://127.0.0.1:9/graphql".into(),
            "type User @key(fields: \"id\") { id: ID! stars: Int } type Subscription { rated: Int }",
        ),
    ])
    .expect("composes");
    let key = "@join__type(graph: REVIEWS, key: \"id\"";
    let gap = composed
        .supergraph_sdl
        .replace(key, &format!("{key}, resolvable: false"));
    assert_ne!(gap, composed.supergraph_sdl, "{gap}");
    let file = folder.join("supergraph.graphql");
    std::fs::write(&file, gap).expect("written");
    let mut config = crate::support::config_of(&[]);
    config.supergraph.file = Some(file);
    baedal_router::start(config).await.expect("the gateway starts")
}

#[tokio::test]
async fn an_operation_that_no_subgraph_can_answer_is_refused_whole_with_data_null() {
    let folder = tempfile::tempdir().expect("a folder");
    let accounts = crate::support::graphs::accounts(&crate::support::Journal::default()).await;
    let gateway = with_a_gap(&accounts, folder.path()).await;
    let client = crate::support::Client::new(gateway.url());
    client.query("{ me { name } }").await.data();
    accounts.requests();
    let query = "{ me { name stars } }";
    let plain = crate::support::Client::new(gateway.url()).header("accept", "application/json");
    for answer in [client.query(query).await, plain.query(query).await] {
        assert_eq!((answer.status, answer.code()), (200, "PLAN_FAILED"), "{answer:?}");
        assert_eq!(answer.body.get("data"), Some(&json!(null)), "{answer:?}");
    }
    let mut socket = crate::support::socket::Socket::ready(&gateway, None).await;
    socket.subscribe("q", query).await;
    let message = socket.message().await;
    assert_eq!(message["type"], "next", "{message}");
    assert_eq!(message["payload"].get("data"), Some(&json!(null)), "{message}");
    assert_eq!(
        message["payload"]["errors"][0]["extensions"]["code"],
        "PLAN_FAILED"
    );
    assert_eq!(socket.message().await["type"], "complete");
    assert!(accounts.requests().is_empty(), "nothing is sent");
}

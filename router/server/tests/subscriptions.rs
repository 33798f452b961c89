//! Subscriptions: events of one subgraph, joined with fields of others.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::issuer::Issuer;
use crate::support::socket::{Came, Socket};
use crate::support::{Mode, World, eventually};

#[tokio::test]
async fn each_event_is_joined_with_other_subgraphs() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe(
            "s",
            "subscription { s: sold { name reviews(first: 1) { body author { name } } } }",
        )
        .await;
    for (name, reviews) in [
        ("Table", json!([{"body": "Love it", "author": {"name": "Ada"}}])),
        (
            "Couch",
            json!([{"body": "Too expensive", "author": {"name": "Ada"}}]),
        ),
        ("Cup", json!([])),
    ] {
        let wanted = json!({"id": "s", "type": "next", "payload": {"data": {"s": {"name": name, "reviews": reviews}}}});
        assert_eq!(socket.message().await, wanted);
    }
    assert_eq!(socket.message().await, json!({"id": "s", "type": "complete"}));
}

#[tokio::test]
async fn arguments_and_variables_reach_the_upstream() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    let payload =
        json!({"query": "subscription($a: Int) { sold(after: $a) { upc } }", "variables": {"a": 2}});
    socket
        .say(json!({"id": "s", "type": "subscribe", "payload": payload}))
        .await;
    assert_eq!(
        socket.message().await["payload"],
        json!({"data": {"sold": {"upc": "top-3"}}})
    );
    assert_eq!(socket.message().await["type"], "complete");
}

#[tokio::test]
async fn an_error_event_is_a_response_with_errors() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("s", "subscription { broken { upc } }").await;
    let message = socket.message().await;
    assert_eq!(
        (&message["type"], &message["payload"]["data"]),
        (&json!("next"), &json!(null)),
        "{message}"
    );
    assert_eq!(message["payload"]["errors"][0]["path"], json!(["broken"]));
}

#[tokio::test]
async fn complete_by_the_client_ends_the_upstream() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("s", "subscription { ticker { upc } }").await;
    assert_eq!(socket.message().await["type"], "next");
    assert_eq!(world.products.open_sockets(), 1);
    socket.say(json!({"type": "complete", "id": "s"})).await;
    eventually("the upstream is closed", || async {
        world.products.open_sockets() == 0
    })
    .await;
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_upstream() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("s", "subscription { ticker { upc } }").await;
    assert_eq!(socket.message().await["type"], "next");
    drop(socket);
    eventually("the upstream is closed", || async {
        world.products.open_sockets() == 0
    })
    .await;
}

#[tokio::test]
async fn a_lost_upstream_is_a_coded_error_so_that_the_client_can_resume() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe("s", "subscription { ticker(everyMs: 30) { upc } }")
        .await;
    assert_eq!(socket.message().await["type"], "next");
    world.products.cut_sockets();
    let last = loop {
        let message = socket.message().await;
        if message["type"] != "next" {
            break message;
        }
    };
    assert_eq!(
        (&last["type"], &last["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("SUBSCRIPTION_LOST"))
    );
    socket.subscribe("s", "subscription { ticker { upc } }").await;
    assert_eq!(
        socket.message().await["type"],
        "next",
        "the same id can resume on the same connection"
    );
}

#[tokio::test]
async fn an_upstream_that_is_down_is_a_coded_error() {
    let mut world = World::start().await;
    let other = crate::support::graphs::accounts(&world.journal).await;
    std::mem::replace(&mut world.products, other).stop().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("s", "subscription { ticker { upc } }").await;
    let message = socket.message().await;
    assert_eq!(
        (&message["type"], &message["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("SUBGRAPH_UNREACHABLE"))
    );
    assert!(!message.to_string().contains("127.0.0.1"), "{message}");
}

#[tokio::test]
async fn many_subscriptions_share_a_connection_and_keep_apart() {
    let world = World::with(|config| config.subscriptions.share = false).await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    for id in 0..20 {
        socket
            .subscribe(&id.to_string(), "subscription { sold { upc } }")
            .await;
    }
    let mut events = vec![0; 20];
    let mut completed = 0;
    while completed < 20 {
        let message = socket.message().await;
        let id: usize = message["id"].as_str().expect("an id").parse().expect("a number");
        match message["type"].as_str() {
            Some("next") => events[id] += 1,
            _ => completed += 1,
        }
    }
    assert_eq!(events, vec![3; 20]);
}

#[tokio::test]
async fn the_token_travels_in_the_payload_and_the_header() {
    let issuer = Issuer::start().await;
    let world = World::guarded(&issuer).await;
    let token = issuer.token("order");
    let mut socket = Socket::ready(&world.gateway, Some(&token)).await;
    socket
        .subscribe("s", "subscription { sold { upc reviews { id } } }")
        .await;
    assert_eq!(socket.message().await["type"], "next");
    let bearer = format!("Bearer {token}");
    assert_eq!(world.products.inits(), [json!({"authorization": bearer})]);
    let (headers, _) = world.products.requests().pop().expect("an upgrade");
    assert_eq!(headers["authorization"], bearer.as_str());
    let (headers, _) = world.reviews.requests().pop().expect("a call");
    assert_eq!(headers["authorization"], bearer.as_str());
}

#[tokio::test]
async fn a_stream_ends_with_4403_when_its_token_expires() {
    let issuer = Issuer::start().await;
    let world = World::guarded(&issuer).await;
    let token = issuer.token_with(json!({"exp": crate::support::issuer::now() + 2}));
    let mut socket = Socket::ready(&world.gateway, Some(&token)).await;
    socket
        .subscribe("s", "subscription { ticker(everyMs: 100) { upc } }")
        .await;
    let started = Instant::now();
    let end = loop {
        match socket.hear().await {
            Came::Message(_) => {}
            end => break end,
        }
    };
    assert!(matches!(end, Came::Closed(4403, _)), "{end:?}");
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
}

/// What a client reads of a subgraph's `error` message.
async fn refused(world: &World, payload: &'static str) -> serde_json::Value {
    world.products.set_mode(Mode::Refuses(payload));
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("s", "subscription { s: ticker { upc } }").await;
    let message = socket.message().await;
    assert_eq!(message["type"], "error", "{message}");
    message["payload"].clone()
}

const REFUSAL: &str = r#"[{"message":"no seat","locations":[{"line":1,"column":1}],"trace":"10.0.0.1",
    "extensions":{"code":"FULL","exception":{"stack":"at 10.0.0.1"}}}]"#;

#[tokio::test]
async fn a_refusal_of_the_upstream_says_its_message_and_code_only() {
    let world = World::start().await;
    let wanted =
        json!([{"message": "no seat", "path": ["s"], "extensions": {"code": "FULL", "service": "products"}}]);
    assert_eq!(refused(&world, REFUSAL).await, wanted);
    for strange in [
        r#"{"message":"10.0.0.1"}"#,
        r#""10.0.0.1""#,
        r#"[10001]"#,
        r#"[{"message":{"at":"10.0.0.1"}}]"#,
        "[]",
        "null",
    ] {
        let errors = refused(&world, strange).await;
        assert!(
            errors.as_array().is_some_and(|errors| errors.len() == 1),
            "{strange}: {errors}"
        );
        assert!(errors[0]["message"].is_string(), "{strange}: {errors}");
        assert!(!errors.to_string().contains("10.0.0.1"), "{strange}: {errors}");
    }
}

#[tokio::test]
async fn a_refusal_of_the_upstream_is_masked_like_other_errors() {
    let world = World::with(|config| config.errors.mask_subgraphs = true).await;
    let errors = refused(&world, REFUSAL).await;
    let extensions = errors[0]["extensions"].as_object().expect("extensions");
    assert_eq!(extensions["code"], "SUBGRAPH_ERROR");
    assert_eq!(extensions["requestId"].as_str().map(str::len), Some(36));
    assert_eq!(extensions.len(), 2);
    let text = errors.to_string();
    assert!(!text.contains("seat") && !text.contains("FULL"), "{text}");
}

#[tokio::test]
async fn complete_by_the_subgraph_ends_both_sides() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("s", "subscription { sold { upc } }").await;
    for _ in 0..3 {
        assert_eq!(socket.message().await["type"], "next");
    }
    assert_eq!(socket.message().await, json!({"id": "s", "type": "complete"}));
    eventually("the upstream is closed", || async {
        world.products.open_sockets() == 0
    })
    .await;
    socket.say(json!({"type": "complete", "id": "s"})).await;
    socket.subscribe("s", "{ me { id } }").await;
    assert_eq!(
        socket.message().await["type"],
        "next",
        "the connection lives on, the id is free"
    );
}

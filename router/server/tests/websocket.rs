//! graphql-transport-ws: what is said when, and every close code (C61).

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::socket::{Came, Socket};
use crate::support::{Mode, World};

#[tokio::test]
async fn queries_and_mutations_answer_with_next_and_complete() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe(
            "q",
            "{ topProducts(first: 1) { name reviews(first: 1) { author { name } } } }",
        )
        .await;
    let data = json!({"topProducts": [{"name": "Table", "reviews": [{"author": {"name": "Ada"}}]}]});
    assert_eq!(
        socket.message().await,
        json!({"id": "q", "type": "next", "payload": {"data": data}})
    );
    assert_eq!(socket.message().await, json!({"id": "q", "type": "complete"}));
    socket.subscribe("q", "mutation { productsStep(step: 7) }").await;
    assert_eq!(
        socket.message().await["payload"]["data"],
        json!({"productsStep": 7})
    );
    assert_eq!(socket.message().await["type"], "complete");
    assert_eq!(world.journal.read(), [7]);
}

#[tokio::test]
async fn syntax_and_validation_errors_are_error_messages_and_the_socket_lives_on() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    for (query, code) in [
        ("{ me {", "GRAPHQL_PARSE_FAILED"),
        ("{ nobody }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        socket.subscribe("1", query).await;
        let message = socket.message().await;
        assert_eq!(
            (&message["id"], &message["type"]),
            (&json!("1"), &json!("error")),
            "{message}"
        );
        assert_eq!(message["payload"][0]["extensions"]["code"], code);
    }
    socket.subscribe("1", "{ me { id } }").await;
    assert_eq!(
        socket.message().await["type"],
        "next",
        "the id is free again, and no `complete` came in between"
    );
}

#[tokio::test]
async fn pings_are_answered_with_their_payload() {
    let world = World::start().await;
    let mut socket = world.socket().await;
    socket.say(json!({"type": "ping", "payload": {"a": 1}})).await;
    assert_eq!(
        socket.message().await,
        json!({"type": "pong", "payload": {"a": 1}}),
        "also before connection_init"
    );
    socket.say(json!({"type": "ping"})).await;
    assert_eq!(socket.message().await, json!({"type": "pong"}));
    socket.say(json!({"type": "pong"})).await;
    assert!(socket.is_silent(Duration::from_millis(100)).await);
}

#[tokio::test]
async fn invalid_messages_are_4400() {
    let world = World::start().await;
    for message in [
        Message::text("nonsense"),
        Message::text("{}"),
        Message::text(r#"{"type":"start","id":"1"}"#),
        Message::text(r#"{"type":"subscribe","id":"1"}"#),
        Message::text(r#"{"type":"subscribe","id":"1","payload":{"variables":{}}}"#),
        Message::text(r#"{"type":"subscribe","id":"1","payload":{"query":"{me{id}}","variables":[]}}"#),
        Message::binary(vec![1, 2, 3]),
    ] {
        let mut socket = Socket::ready(&world.gateway, None).await;
        socket.raw(message.clone()).await;
        assert_eq!(socket.close_code().await, 4400, "{message:?}");
    }
}

#[tokio::test]
async fn an_operation_before_the_ack_is_4401() {
    let world = World::start().await;
    let mut socket = world.socket().await;
    socket.subscribe("1", "{ me { id } }").await;
    assert_eq!(socket.close_code().await, 4401);
}

#[tokio::test]
async fn a_foreign_or_missing_subprotocol_is_4406() {
    let world = World::start().await;
    let mut none = Socket::try_open(&world.gateway, &[]).await.expect("an upgrade");
    assert_eq!(none.close_code().await, 4406);
    // A client that asked for a protocol and got none may refuse the upgrade itself; ours does.
    let foreign = Socket::try_open(&world.gateway, &[("sec-websocket-protocol", "graphql-next")]).await;
    match foreign {
        Ok(mut socket) => assert_eq!(socket.close_code().await, 4406),
        Err(error) => assert!(error.to_string().to_lowercase().contains("protocol"), "{error}"),
    }
}

#[tokio::test]
async fn no_init_in_time_is_4408() {
    let world = World::with(|config| config.websocket.init_timeout = Duration::from_millis(200)).await;
    let mut socket = world.socket().await;
    socket.say(json!({"type": "ping"})).await;
    assert_eq!(socket.message().await["type"], "pong");
    let started = std::time::Instant::now();
    assert_eq!(socket.close_code().await, 4408);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn an_id_in_use_is_4409() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe("a", "subscription { ticker(everyMs: 60000) { upc } }")
        .await;
    socket.subscribe("a", "{ me { id } }").await;
    assert_eq!(
        socket.hear().await,
        Came::Closed(4409, "Subscriber for a already exists".into())
    );
}

#[tokio::test]
async fn a_second_init_is_4429() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.say(json!({"type": "connection_init"})).await;
    assert_eq!(socket.close_code().await, 4429);
}

#[tokio::test]
async fn a_message_over_the_limit_is_1009() {
    let world = World::with(|config| config.websocket.message_bytes = 1000).await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.raw(Message::text("x".repeat(2000))).await;
    assert!(matches!(socket.hear().await, Came::Closed(1009, _) | Came::Gone));
}

#[tokio::test]
async fn too_many_operations_are_refused_and_the_others_live_on() {
    let world = World::with(|config| config.websocket.max_operations = 2).await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe("1", "subscription { ticker(everyMs: 60000) { upc } }")
        .await;
    socket
        .subscribe("2", "subscription { ticker(everyMs: 60000) { upc } }")
        .await;
    socket.subscribe("3", "{ me { id } }").await;
    let refused = socket.message().await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS",
        "{refused}"
    );
    socket.say(json!({"type": "complete", "id": "1"})).await;
    socket.subscribe("3", "{ me { id } }").await;
    assert_eq!(socket.message().await["type"], "next");
}

#[tokio::test]
async fn a_completed_query_says_nothing_more() {
    let world = World::start().await;
    world.accounts.set_mode(Mode::Slow(Duration::from_millis(200)));
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("1", "{ me { id } }").await;
    socket.say(json!({"type": "complete", "id": "1"})).await;
    assert!(socket.is_silent(Duration::from_millis(500)).await);
}

#[tokio::test]
async fn a_client_that_gives_no_sign_of_life_is_dropped() {
    let world = World::with(|config| config.websocket.ping_interval = Duration::from_millis(100)).await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    // Not reading means not answering pings.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(socket.close_code().await, 1001);
    // One that reads answers them, and stays.
    let mut alive = Socket::ready(&world.gateway, None).await;
    assert!(
        tokio::time::timeout(Duration::from_millis(500), alive.hear())
            .await
            .is_err()
    );
    alive.subscribe("1", "{ me { id } }").await;
    assert_eq!(alive.message().await["type"], "next");
}

#[tokio::test]
async fn a_stop_closes_with_1001() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe("1", "subscription { ticker(everyMs: 60000) { upc } }")
        .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = tokio::spawn(world.gateway.shutdown());
    assert_eq!(socket.close_code().await, 1001);
    stopping.await.expect("no panic");
}

#[tokio::test]
async fn more_connections_than_there_may_be_are_refused_and_the_others_live_on() {
    let issuer = crate::support::Issuer::start().await;
    let auth = crate::support::auth_of(&[&issuer]);
    let world = World::with(|config| {
        config.auth = Some(auth);
        config.websocket.max_connections = 3;
        config.websocket.max_connections_per_user = 1;
    })
    .await;
    let (ada, alan) = (issuer.token("order"), issuer.token_with(json!({"sub": "alan"})));
    let mut first = Socket::ready(&world.gateway, Some(&ada)).await;
    let mut second = world.socket().await;
    let init = json!({"type": "connection_init", "payload": {"authorization": format!("Bearer {ada}")}});
    second.say(init).await;
    assert_eq!(second.close_code().await, 4414);
    drop(second);
    // The one that was refused may still be about to go.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let _second = Socket::ready(&world.gateway, Some(&alan)).await;
    let _third = Socket::ready(&world.gateway, None).await;
    let protocol = [("sec-websocket-protocol", "graphql-transport-ws")];
    let fourth = Socket::try_open(&world.gateway, &protocol).await;
    assert!(
        matches!(&fourth, Err(error) if error.to_string().contains("503")),
        "three are the most"
    );
    first.subscribe("1", "{ topProducts { name } }").await;
    assert_eq!(first.message().await["type"], "next");
}

#[tokio::test]
async fn a_flood_of_messages_is_1008() {
    let world = World::with(|config| config.websocket.messages_per_second = 50).await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    for _ in 0..200 {
        socket.raw(Message::Ping(Default::default())).await;
    }
    let end = loop {
        match socket.hear().await {
            Came::Message(_) => {}
            end => break end,
        }
    };
    assert!(matches!(end, Came::Closed(1008, _) | Came::Gone), "{end:?}");
}

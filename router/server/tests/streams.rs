//! Streams with many clients: one upstream for all that are equal, slow clients, cursors, lost upstreams.

use std::time::{Duration, Instant};

use baedal_router::config::StreamProtocol;
use serde_json::{Value, json};

use crate::support::issuer::Issuer;
use crate::support::socket::{Came, Socket};
use crate::support::{Mode, World, eventually};

const TICKER: &str = "subscription { ticker(everyMs: 20) { upc reviews { id } } }";

/// The cursor of the next event of `sales`.
async fn cursor(socket: &mut Socket) -> u64 {
    let message = socket.message().await;
    assert_eq!(message["type"], "next", "{message}");
    number(&message["payload"]["data"]["sales"]["cursor"])
}

fn number(cursor: &Value) -> u64 {
    cursor.as_str().expect("a cursor").parse().expect("a number")
}

#[tokio::test]
async fn equal_subscriptions_have_one_upstream_and_each_event_is_resolved_once() {
    let world = World::start().await;
    let mut sockets = Vec::new();
    for _ in 0..8 {
        let mut socket = Socket::ready(&world.gateway, None).await;
        socket.subscribe("s", TICKER).await;
        sockets.push(socket);
    }
    for socket in &mut sockets {
        assert_eq!(socket.message().await["type"], "next");
    }
    assert_eq!(world.products.open_sockets(), 1);
    world.reviews.requests();
    for socket in &mut sockets {
        for _ in 0..10 {
            assert_eq!(socket.message().await["type"], "next");
        }
    }
    let asked = world.reviews.requests().len();
    assert!(
        (1..80).contains(&asked),
        "{asked} calls for some ten events that eight clients got"
    );
    let mut last = sockets.pop().expect("eight");
    drop(sockets);
    for _ in 0..5 {
        assert_eq!(last.message().await["type"], "next", "who stays is not harmed");
    }
    assert_eq!(world.products.open_sockets(), 1);
    last.say(json!({"type": "complete", "id": "s"})).await;
    eventually("the last one ends the upstream", || async {
        world.products.open_sockets() == 0
    })
    .await;
}

#[tokio::test]
async fn other_values_and_other_identities_have_upstreams_of_their_own() {
    let issuer = Issuer::start().await;
    let world = World::guarded(&issuer).await;
    let (ada, alan) = (issuer.token("order"), issuer.token_with(json!({"sub": "alan"})));
    let mut sockets = Vec::new();
    for (token, every) in [(&ada, 30), (&ada, 30), (&ada, 40), (&alan, 30)] {
        let mut socket = Socket::ready(&world.gateway, Some(token)).await;
        let query = "subscription($ms: Int) { ticker(everyMs: $ms) { upc } }";
        let payload = json!({"query": query, "variables": {"ms": every}});
        socket
            .say(json!({"id": "1", "type": "subscribe", "payload": payload}))
            .await;
        assert_eq!(socket.message().await["type"], "next");
        sockets.push(socket);
    }
    assert_eq!(world.products.open_sockets(), 3);
}

#[tokio::test]
async fn when_the_upstream_is_lost_all_are_told() {
    let world = World::start().await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut socket = Socket::ready(&world.gateway, None).await;
        socket.subscribe("s", TICKER).await;
        assert_eq!(socket.message().await["type"], "next");
        sockets.push(socket);
    }
    world.products.cut_sockets();
    for socket in &mut sockets {
        let last = loop {
            let message = socket.message().await;
            if message["type"] != "next" {
                break message;
            }
        };
        assert_eq!(
            last["payload"][0]["extensions"]["code"], "SUBSCRIPTION_LOST",
            "{last}"
        );
    }
}

#[tokio::test]
async fn a_lost_stream_with_a_cursor_goes_on_without_a_gap() {
    let world = World::start().await;
    for query in [
        "subscription { sales { cursor } }",
        "subscription($from: String) { sales(after: $from) { cursor product { name } } }",
    ] {
        let mut socket = Socket::ready(&world.gateway, None).await;
        let payload = json!({"query": query, "variables": {"from": "0"}});
        socket
            .say(json!({"id": "1", "type": "subscribe", "payload": payload}))
            .await;
        for wanted in 1..=30 {
            assert_eq!(cursor(&mut socket).await, wanted, "{query}");
            if wanted % 10 == 0 {
                world.products.cut_sockets();
            }
        }
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_taken_up_again_in_time_says_where_it_was() {
    let mut world = World::with(|config| {
        config.subscriptions.reconnect_timeout = Duration::from_millis(300);
    })
    .await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("1", "subscription { sales { cursor } }").await;
    let mut last = cursor(&mut socket).await;
    let other = crate::support::graphs::accounts(&world.journal).await;
    std::mem::replace(&mut world.products, other).stop().await;
    let end = loop {
        let message = socket.message().await;
        if message["type"] != "next" {
            break message;
        }
        last = number(&message["payload"]["data"]["sales"]["cursor"]);
    };
    let extensions = &end["payload"][0]["extensions"];
    assert_eq!(extensions["code"], "SUBSCRIPTION_LOST", "{end}");
    assert_eq!(number(&extensions["cursor"]), last);
}

#[tokio::test]
async fn a_client_that_says_where_to_begin_misses_nothing() {
    let world = World::start().await;
    let query = "subscription { sales(after: \"0\") { cursor } }";
    let mut first = Socket::ready(&world.gateway, None).await;
    first.subscribe("1", query).await;
    for wanted in 1..=5 {
        assert_eq!(cursor(&mut first).await, wanted);
    }
    let mut second = Socket::ready(&world.gateway, None).await;
    second.subscribe("1", query).await;
    for wanted in 1..=5 {
        assert_eq!(
            cursor(&mut second).await,
            wanted,
            "the first one's stream is past that"
        );
    }
}

#[tokio::test]
async fn a_slow_consumer_is_closed_with_its_cursor_and_others_are_not_harmed() {
    let world = World::with(|config| config.websocket.queue = 8).await;
    let query =
        |padding: &str| format!("subscription {{ sales(everyMs: 2) {{ cursor a{padding}: cursor }} }}");
    let query = query(&"x".repeat(60_000));
    let mut slow = Socket::ready(&world.gateway, None).await;
    let mut quick = Socket::ready(&world.gateway, None).await;
    for socket in [&mut slow, &mut quick] {
        socket.subscribe("feed", &query).await;
    }
    let mut last = cursor(&mut quick).await;
    // The gateway leaves the slow one out when it is closed: then only what fits into buffers waits for it.
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        let next = cursor(&mut quick).await;
        assert_eq!(next, last + 1, "the one that reads gets everything");
        last = next;
    }
    let mut seen = 0;
    let (code, reason) = loop {
        match slow.hear().await {
            Came::Message(message) => seen = number(&message["payload"]["data"]["sales"]["cursor"]),
            Came::Closed(code, reason) => break (code, reason),
            Came::Gone => panic!("cut without a farewell"),
        }
    };
    assert_eq!(code, 4413, "{reason}");
    assert!(seen < last, "it was closed before the end: {seen} of {last}");
    assert_eq!(reason, format!(r#"SLOW_CONSUMER {{"feed":"{seen}"}}"#));
    assert_eq!(cursor(&mut quick).await, last + 1);
}

#[tokio::test]
async fn a_stop_tells_the_cursor() {
    let world = World::start().await;
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe("feed", "subscription { sales { cursor } }")
        .await;
    let mut last = cursor(&mut socket).await;
    let stopping = tokio::spawn(world.gateway.shutdown());
    let (code, reason) = loop {
        match socket.hear().await {
            Came::Message(message) => last = number(&message["payload"]["data"]["sales"]["cursor"]),
            Came::Closed(code, reason) => break (code, reason),
            Came::Gone => panic!("cut without a farewell"),
        }
    };
    assert_eq!(
        (code, reason),
        (1001, format!(r#"Going away {{"feed":"{last}"}}"#))
    );
    drop(socket);
    stopping.await.expect("no panic");
}

#[tokio::test]
async fn the_older_protocol_is_spoken_too() {
    let world = World::start().await;
    let legacy = [("sec-websocket-protocol", "graphql-ws")];
    let mut socket = Socket::try_open(&world.gateway, &legacy)
        .await
        .expect("an upgrade");
    socket
        .say(json!({"type": "connection_init", "payload": {}}))
        .await;
    assert_eq!(socket.message().await, json!({"type": "connection_ack"}));
    assert_eq!(socket.message().await, json!({"type": "ka"}));
    let start = |id: &str, query: &str| json!({"id": id, "type": "start", "payload": {"query": query}});
    socket.say(start("q", "{ me { id } }")).await;
    let data = json!({"id": "q", "type": "data", "payload": {"data": {"me": {"id": "1"}}}});
    assert_eq!(socket.message().await, data);
    assert_eq!(socket.message().await, json!({"id": "q", "type": "complete"}));
    socket.say(start("e", "{ nobody }")).await;
    let error = socket.message().await;
    assert_eq!((&error["id"], &error["type"]), (&json!("e"), &json!("error")));
    assert_eq!(
        error["payload"]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED",
        "{error}"
    );
    socket.say(start("s", TICKER)).await;
    assert_eq!(socket.message().await["type"], "data");
    socket.say(json!({"type": "stop", "id": "s"})).await;
    eventually("the upstream is closed", || async {
        world.products.open_sockets() == 0
    })
    .await;
    socket.say(json!({"type": "connection_terminate"})).await;
    let end = loop {
        match socket.hear().await {
            Came::Message(_) => {}
            end => break end,
        }
    };
    assert_eq!(end, Came::Gone);
}

#[tokio::test]
async fn subgraphs_can_stream_over_http() {
    for protocol in [StreamProtocol::Sse, StreamProtocol::Multipart] {
        let world = World::with(|config| {
            let products = config.subgraphs.get_mut("products").expect("there are products");
            products.subscription_protocol = protocol;
        })
        .await;
        let mut socket = Socket::ready(&world.gateway, None).await;
        socket
            .subscribe("s", "subscription { sold { upc reviews { id } } }")
            .await;
        for upc in ["top-1", "top-2", "top-3"] {
            let message = socket.message().await;
            assert_eq!(message["payload"]["data"]["sold"]["upc"], upc, "{message}");
        }
        assert_eq!(socket.message().await["type"], "complete", "{protocol:?}");
        socket.subscribe("s", "subscription { sales { cursor } }").await;
        for wanted in 1..=15 {
            assert_eq!(cursor(&mut socket).await, wanted, "{protocol:?}");
            if wanted % 5 == 0 {
                world.products.cut_sockets();
            }
        }
        socket.say(json!({"type": "complete", "id": "s"})).await;
        eventually("the upstream is closed", || async {
            world.products.open_sockets() == 0
        })
        .await;
    }
}

#[tokio::test]
async fn two_hundred_clients_get_every_event_of_one_upstream() {
    let world = World::start().await;
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut socket = Socket::ready(&world.gateway, None).await;
        socket
            .subscribe("s", "subscription { sales(everyMs: 100) { cursor } }")
            .await;
        clients.push(tokio::spawn(async move {
            let mut last = cursor(&mut socket).await;
            for _ in 0..10 {
                let next = cursor(&mut socket).await;
                assert_eq!(next, last + 1);
                last = next;
            }
            socket
        }));
    }
    let mut open = Vec::new();
    for client in clients {
        open.push(client.await.expect("every event comes once"));
    }
    assert_eq!(world.products.open_sockets(), 1);
    drop(open);
    eventually("the upstream is closed", || async {
        world.products.open_sockets() == 0
    })
    .await;
}

#[tokio::test]
async fn subgraphs_can_speak_the_older_protocol() {
    let world = World::start().await;
    world.products.set_mode(Mode::Older);
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket
        .subscribe("s", "subscription { sold { upc reviews { id } } }")
        .await;
    for upc in ["top-1", "top-2", "top-3"] {
        let message = socket.message().await;
        assert_eq!(message["payload"]["data"]["sold"]["upc"], upc, "{message}");
    }
    assert_eq!(socket.message().await["type"], "complete");
    socket.subscribe("s", "subscription { sales { cursor } }").await;
    for wanted in 1..=10 {
        assert_eq!(cursor(&mut socket).await, wanted);
        if wanted == 5 {
            world.products.cut_sockets();
        }
    }
    socket.say(json!({"type": "complete", "id": "s"})).await;
    eventually("the upstream is closed", || async {
        world.products.open_sockets() == 0
    })
    .await;
}

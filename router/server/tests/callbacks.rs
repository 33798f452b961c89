//! Subscriptions whose events the subgraph brings: the HTTP callback protocol.

use std::time::Duration;

use baedal_router::Config;
use baedal_router::config::{CallbackConfig, StreamProtocol, SubgraphConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::emitter::{Callback, Emitter, Greeting};
use crate::support::socket::Socket;
use crate::support::subgraph::free_address;
use crate::support::{World, eventually};

const TICKS: &str = "subscription { tick { cursor number product { name reviews(first: 1) { body } } } }";

/// A gateway with an emitter behind it.
async fn world(emitter: &Emitter, change: impl FnOnce(&mut Config)) -> World {
    let listen = free_address().await;
    World::with(|config| {
        config.listen = listen;
        let url = format!("http://{listen}/callback").parse().expect("a URL");
        config.subscriptions.callback = Some(CallbackConfig::at(url));
        let subgraph = SubgraphConfig {
            subscription_protocol: StreamProtocol::Callback,
            ..SubgraphConfig::at(emitter.url())
        };
        config.subgraphs.insert("ticks".to_owned(), subgraph);
        change(config);
    })
    .await
}

/// A client that has subscribed, and the callback of its upstream.
async fn subscribed(world: &World, emitter: &Emitter) -> (Socket, Callback) {
    let before = emitter.asked();
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("t", TICKS).await;
    eventually("the subgraph is asked", || async { emitter.asked() > before }).await;
    eventually("the subscription is known", || async {
        emitter.latest().say("check").await == 204
    })
    .await;
    let callback = emitter.latest();
    (socket, callback)
}

fn number(message: &Value) -> &Value {
    &message["payload"]["data"]["tick"]["number"]
}

#[tokio::test]
async fn events_come_by_callbacks_and_are_joined_with_other_subgraphs() {
    let emitter = Emitter::start().await;
    let world = world(&emitter, |_| ()).await;
    let (mut socket, callback) = subscribed(&world, &emitter).await;
    assert_eq!(callback.headers["accept"], "application/json;callbackSpec=1.0");
    let told = &callback.request["extensions"]["subscription"];
    assert_eq!(told["heartbeatIntervalMs"], 5000);
    assert!(callback.url.ends_with(&callback.id), "{}", callback.url);
    assert!(
        callback.request["query"]
            .as_str()
            .is_some_and(|query| query.contains("tick"))
    );
    for wanted in 1..=3 {
        assert_eq!(callback.tick(wanted).await, 200);
        let message = socket.message().await;
        let tick = json!({"cursor": wanted.to_string(), "number": wanted,
            "product": {"name": "Table", "reviews": [{"body": "Love it"}]}});
        assert_eq!(message["payload"], json!({"data": {"tick": tick}}));
    }
    assert_eq!(callback.say("complete").await, 202);
    assert_eq!(socket.message().await, json!({"id": "t", "type": "complete"}));
    eventually("nobody waits for it any more", || async {
        callback.say("check").await == 404
    })
    .await;
}

#[tokio::test]
async fn strangers_and_nonsense_are_turned_away_and_harm_nothing() {
    let emitter = Emitter::start().await;
    let world = world(&emitter, |config| {
        config.traffic.response_bytes = 10_000;
        config.limits.body_timeout = Duration::from_millis(300);
    })
    .await;
    let (mut socket, callback) = subscribed(&world, &emitter).await;
    let (_other, neighbour) = subscribed_apart(&world, &emitter).await;
    let event = json!({"payload": {"data": {"tick": {"number": 666}}}});
    let with = |name: &str, value: &str| {
        let mut more = event.clone();
        more[name] = json!(value);
        more
    };
    let unknown = (404, "no such subscription".to_owned());
    for more in [
        with("verifier", ""),
        with("verifier", "x"),
        with("verifier", &neighbour.verifier),
        with("id", &neighbour.id),
        with("id", "00000000-0000-4000-8000-000000000000"),
    ] {
        assert_eq!(callback.say_with("next", more.clone()).await, unknown, "{more}");
    }
    let mut elsewhere = callback.clone();
    for id in ["00000000-0000-4000-8000-000000000000", "x", "%20"] {
        elsewhere.url = callback.url.replace(&callback.id, id);
        assert_eq!(elsewhere.say_with("next", event.clone()).await, unknown, "{id}");
    }
    for nonsense in ["", "[]", "{}", "nonsense", &"[".repeat(5_000)] {
        assert_eq!(callback.post(nonsense.to_owned()).await.0, 400, "{nonsense}");
    }
    assert_eq!(callback.say("heartbeat").await, 400);
    assert_eq!(callback.say_with("next", json!({"payload": 7})).await.0, 400);
    let large = json!({"payload": {"data": {"tick": "x".repeat(20_000)}}});
    assert_eq!(callback.say_with("next", large).await.0, 413);
    let http = reqwest::Client::new();
    let get = http.get(&callback.url).send().await.expect("an answer");
    assert_eq!(get.status(), 405);
    let foreign = http
        .post(&callback.url)
        .header("subscription-protocol", "callback/7.0");
    assert_eq!(foreign.send().await.expect("an answer").status(), 400);
    assert!(unfinished(&world, &callback).await.starts_with("HTTP/1.1 408 "));
    assert_eq!(callback.tick(1).await, 200);
    let message = socket.message().await;
    assert_eq!(number(&message), 1, "nothing of all that was an event: {message}");
}

/// What a callback gets whose body never comes.
async fn unfinished(world: &World, callback: &Callback) -> String {
    let mut stream = TcpStream::connect(world.gateway.addr())
        .await
        .expect("a connection");
    let id = &callback.id;
    let head = format!("POST /callback/{id} HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{{");
    stream.write_all(head.as_bytes()).await.expect("written");
    let mut answer = vec![0; 1024];
    let reading = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut answer));
    let read = reading.await.expect("an answer in time").expect("an answer");
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// The same of a client that has nothing in common with others.
async fn subscribed_apart(world: &World, emitter: &Emitter) -> (Socket, Callback) {
    let before = emitter.asked();
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("t", "subscription { tick { number } }").await;
    eventually("the subgraph is asked", || async { emitter.asked() > before }).await;
    (socket, emitter.latest())
}

#[tokio::test]
async fn equal_subscriptions_share_one_and_the_last_client_ends_it() {
    let emitter = Emitter::start().await;
    let world = world(&emitter, |_| ()).await;
    let (mut first, callback) = subscribed(&world, &emitter).await;
    let mut second = Socket::ready(&world.gateway, None).await;
    second.subscribe("t", TICKS).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(emitter.asked(), 1);
    assert_eq!(callback.tick(1).await, 200);
    assert_eq!(number(&first.message().await), 1);
    assert_eq!(number(&second.message().await), 1);
    first.say(json!({"type": "complete", "id": "t"})).await;
    drop(first);
    assert_eq!(callback.tick(2).await, 200);
    assert_eq!(number(&second.message().await), 2);
    drop(second);
    eventually("the subgraph is told that nobody listens", || async {
        callback.say("check").await == 404
    })
    .await;
}

#[tokio::test]
async fn a_subgraph_that_falls_silent_is_asked_again_after_the_last_event() {
    let emitter = Emitter::start().await;
    let world = world(&emitter, |config| {
        let callback = config.subscriptions.callback.as_mut().expect("it is there");
        callback.heartbeat = Duration::from_millis(200);
    })
    .await;
    let (mut socket, callback) = subscribed(&world, &emitter).await;
    assert_eq!(callback.tick(7).await, 200);
    assert_eq!(number(&socket.message().await), 7);
    // Three heartbeats fail to come.
    eventually("it is asked again", || async { emitter.asked() == 2 }).await;
    let again = emitter.latest();
    assert_eq!(
        again.request["variables"]["resumeAfter"], "7",
        "{}",
        again.request
    );
    assert_ne!((&again.id, &again.verifier), (&callback.id, &callback.verifier));
    assert_eq!(callback.tick(8).await, 404, "the old one is void");
    eventually("the new one is good", || async { again.tick(8).await == 200 }).await;
    assert_eq!(number(&socket.message().await), 8);
}

#[tokio::test]
async fn a_subgraph_that_says_it_lives_is_not_given_up() {
    let emitter = Emitter::start().await;
    let world = world(&emitter, |config| {
        let callback = config.subscriptions.callback.as_mut().expect("it is there");
        callback.heartbeat = Duration::from_millis(300);
    })
    .await;
    let (mut socket, callback) = subscribed(&world, &emitter).await;
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(callback.say("check").await, 204);
    }
    assert_eq!(callback.tick(1).await, 200);
    assert_eq!(number(&socket.message().await), 1);
    assert_eq!(emitter.asked(), 1);
}

#[tokio::test]
async fn refusals_are_error_messages() {
    let emitter = Emitter::start().await;
    let world = world(&emitter, |_| ()).await;
    emitter.greet(Greeting::Refusal);
    let mut socket = Socket::ready(&world.gateway, None).await;
    socket.subscribe("t", TICKS).await;
    let refused = socket.message().await;
    assert_eq!(refused["type"], "error", "{refused}");
    assert_eq!(refused["payload"][0]["message"], "no seat", "{refused}");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "FULL");
    emitter.greet(Greeting::None);
    socket.subscribe("t", TICKS).await;
    let refused = socket.message().await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"], "SUBSCRIPTION_REFUSED",
        "without a check nobody knows that callbacks arrive: {refused}"
    );
    emitter.greet(Greeting::Check);
    let (mut socket, callback) = subscribed(&world, &emitter).await;
    let errors = json!({"errors": [{"message": "sold out", "extensions": {"code": "GONE"}}]});
    assert_eq!(callback.say_with("complete", errors).await.0, 202);
    let refused = socket.message().await;
    assert_eq!(refused["type"], "error", "{refused}");
    assert_eq!(refused["payload"][0]["extensions"]["code"], "GONE");
}

#[tokio::test]
async fn callbacks_can_have_an_address_of_their_own_and_end_with_the_gateway() {
    let emitter = Emitter::start().await;
    let own = free_address().await;
    let world = world(&emitter, |config| {
        let callback = config.subscriptions.callback.as_mut().expect("it is there");
        callback.listen = Some(own);
        callback.path = "/events/in".to_owned();
        callback.public_url = format!("http://{own}/events/in").parse().expect("a URL");
    })
    .await;
    let (mut socket, callback) = subscribed(&world, &emitter).await;
    let public = world.gateway.url().replace("/graphql", "/events/in");
    let wrong = reqwest::Client::new().post(format!("{public}/{}", callback.id));
    assert_eq!(wrong.send().await.expect("an answer").status(), 404);
    assert_eq!(callback.tick(1).await, 200);
    assert_eq!(number(&socket.message().await), 1);
    let stopping = tokio::spawn(world.gateway.shutdown());
    assert_eq!(socket.close_code().await, 1001);
    drop(socket);
    stopping.await.expect("no panic");
    assert!(reqwest::Client::new().post(&callback.url).send().await.is_err());
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let check = |text: &str| {
        let text = format!(
            "subgraphs: {{ a: {{ url: \"http://a.example/\", subscription_protocol: callback }} }}\n{text}"
        );
        let config = baedal_router::config::parse(&text, &|_| None).expect("reads");
        config.check().map_err(|error| error.to_string())
    };
    let good = "subscriptions: { callback: { public_url: \"http://10.0.0.1:4000/callback\" } }";
    assert_eq!(check(good), Ok(()));
    for (bad, told) in [
        ("", "subscriptions.callback.public_url"),
        (
            "subscriptions: { callback: { public_url: \"ws://a.example/\" } }",
            "public_url",
        ),
        (
            "subscriptions: { callback: { public_url: \"http://a.example/?x\" } }",
            "no query",
        ),
        (
            "subscriptions: { callback: { public_url: \"http://a.example\", path: /graphql } }",
            "is taken",
        ),
        (
            "subscriptions: { callback: { public_url: \"http://a.example\", path: \"/a/{b}\" } }",
            "path",
        ),
        (
            "subscriptions: { callback: { public_url: \"http://a.example\", heartbeat: 5ms } }",
            "heartbeat",
        ),
    ] {
        let error = check(bad).expect_err(bad);
        assert!(error.contains(told), "{bad}: {error}");
    }
}

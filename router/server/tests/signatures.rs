//! Calls that are signed: each kind is verified by the subgraph that gets it.

use baedal_router::config::{Http2, SignConfig, StreamProtocol};
use baedal_token::message::{MessageError, SharedKey};

use crate::support::socket::Socket;
use crate::support::{World, config_of, eventually};

const SECRET: &str = "a secret of the gateway and its subgraphs";

fn sign(secret: &str) -> Option<SignConfig> {
    Some(SignConfig {
        key_id: "one".to_owned(),
        secret: secret.to_owned(),
    })
}

fn key() -> SharedKey {
    SharedKey::new("one", SECRET.as_bytes()).expect("a key")
}

/// A world whose products are asked in signed calls, and demand them.
async fn world(secret: &str, protocol: StreamProtocol, http2: Http2) -> World {
    let sign = sign(secret);
    let world = World::with(|config| {
        let products = config.subgraphs.get_mut("products").expect("it is there");
        products.sign = sign;
        products.subscription_protocol = protocol;
        products.http2 = http2;
    })
    .await;
    world.products.demand(key());
    world
}

#[tokio::test]
async fn queries_and_the_question_for_the_sdl_are_signed() {
    for http2 in [Http2::Never, Http2::Always] {
        let world = world(SECRET, StreamProtocol::GraphqlWs, http2).await;
        world
            .query("{ topProducts { name reviews { body } } }")
            .await
            .data();
        let asked = world.products.asked_sdl();
        eventually("its SDL is asked for", || async {
            world.products.asked_sdl() > asked
        })
        .await;
        let verdicts = world.products.verdicts();
        assert!(
            verdicts.len() >= 2 && verdicts.iter().all(Result::is_ok),
            "{verdicts:?}"
        );
        let (headers, _) = world.reviews.requests().pop().expect("a call");
        for name in ["content-digest", "signature-input", "signature"] {
            assert!(
                !headers.contains_key(name),
                "{name} goes only where it is asked for"
            );
        }
    }
}

#[tokio::test]
async fn streams_are_signed_when_they_are_opened() {
    for protocol in [
        StreamProtocol::GraphqlWs,
        StreamProtocol::Sse,
        StreamProtocol::Multipart,
    ] {
        let world = world(SECRET, protocol, Http2::Never).await;
        let mut socket = Socket::ready(&world.gateway, None).await;
        socket
            .subscribe("s", "subscription { sales(everyMs: 20) { cursor } }")
            .await;
        assert_eq!(socket.message().await["type"], "next", "{protocol:?}");
        let verdicts = world.products.verdicts();
        assert!(
            !verdicts.is_empty() && verdicts.iter().all(Result::is_ok),
            "{verdicts:?}"
        );
    }
}

#[tokio::test]
async fn another_secret_is_not_believed_until_a_reload_brings_the_right_one() {
    let wrong = "another secret of the gateway alone";
    let world = world(wrong, StreamProtocol::GraphqlWs, Http2::Never).await;
    assert_eq!(
        world.query("{ topProducts { name } }").await.code(),
        "SUBGRAPH_HTTP_ERROR"
    );
    assert!(world.products.verdicts().contains(&Err(MessageError::Altered)));
    let mut config = config_of(&[&world.accounts, &world.products, &world.reviews]);
    config.subgraphs.get_mut("products").expect("it is there").sign = sign(SECRET);
    world.gateway.reload(&config).await.expect("it is taken over");
    world.query("{ topProducts { name } }").await.data();
}

#[tokio::test]
async fn a_weak_secret_is_refused() {
    let world = World::start().await;
    let mut config = config_of(&[&world.products]);
    config.subgraphs.get_mut("products").expect("it is there").sign = sign("short");
    let error = config.check().expect_err("it is refused").to_string();
    assert!(
        error.contains("subgraphs.products.sign") && error.contains("32 bytes"),
        "{error}"
    );
}

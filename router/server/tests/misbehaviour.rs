//! A subgraph that answers with anything but an answer: a code at the right path, the rest of the data, and in time.

use std::io::Write;
use std::time::{Duration, Instant};

use baedal_router::Config;
use serde_json::{Value, json};

use crate::support::{Answer, Journal, Manner, Rogue, World, graphs};

/// Needs all three subgraphs.
const JOIN: &str = "{ topProducts { name rank } me { name } }";
const LIMIT: usize = 1_000_000;

/// A world in which calls to `reviews` go somewhere else.
async fn with_reviews_at(url: url::Url, change: impl FnOnce(&mut Config)) -> (World, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let sdl = folder.path().join("reviews.graphql");
    let text = graphs::reviews(&Journal::default()).await.sdl();
    std::fs::write(&sdl, text).expect("written");
    let world = World::with(|config| {
        let reviews = config.subgraphs.get_mut("reviews").expect("it is there");
        (reviews.url, reviews.sdl) = (Some(url), Some(sdl));
        config.traffic.timeout = Duration::from_millis(500);
        config.traffic.response_bytes = LIMIT;
        change(config);
    })
    .await;
    (world, folder)
}

/// The others' data are there, and every error is where the reviews would be.
fn assert_the_rest_is_there(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["data"]["me"], json!({"name": "Ada"}), "{answer:?}");
    let names = [0, 1].map(|index| &answer.body["data"]["topProducts"][index]["name"]);
    assert_eq!(names, ["Table", "Couch"], "{answer:?}");
    assert!(!answer.errors().is_empty(), "{answer:?}");
    for error in answer.errors() {
        assert_eq!(error["path"][0], "topProducts", "{answer:?}");
    }
}

#[tokio::test]
async fn whatever_a_subgraph_answers_the_rest_is_there() {
    let rogue = Rogue::start(Manner::Hangs).await;
    // No breaker: the next case is not the last one's victim.
    let (world, _folder) = with_reviews_at(rogue.url(), |config| {
        config.traffic.breaker.enabled = Some(false);
    })
    .await;
    let entities = |list: Value| json!({"data": {"_entities": list}}).to_string();
    let malformed = "SUBGRAPH_MALFORMED_RESPONSE";
    let not_asked_for = "SUBREQUEST_MALFORMED_RESPONSE";
    let head = "HTTP/1.1 200 OK\r\ncontent-length: ";
    for (what, manner, code) in [
        ("empty", Manner::json(""), malformed),
        ("HTML", Manner::http(200, "", "<html>10.0.0.1</html>"), malformed),
        ("cut JSON", Manner::json("{\"data\":{\"_entities\":[{"), malformed),
        ("an array", Manner::json("[]"), malformed),
        (
            "broken JSON",
            Manner::json("{\"data\":{\"_entities\":[,]}}"),
            not_asked_for,
        ),
        ("nothing in it", Manner::json("{}"), not_asked_for),
        ("wrong type", Manner::json(&entities(json!("x"))), not_asked_for),
        ("no list", Manner::json(&entities(json!(null))), not_asked_for),
        (
            "too short a list",
            Manner::json(&entities(json!([{"rank": 1}]))),
            not_asked_for,
        ),
        (
            "too long a list",
            Manner::json(&entities(json!([{"rank": 1}, {"rank": 1}, {"rank": 1}]))),
            not_asked_for,
        ),
        (
            "wrong leaves",
            Manner::json(&entities(json!([{"rank": "x"}, {"rank": [7]}]))),
            "",
        ),
        (
            "errors only",
            Manner::json(r#"{"errors":[{"message":"no","extensions":{"code":"NO"}}]}"#),
            "NO",
        ),
        (
            "100 MB",
            Manner::Bytes(format!("{head}104857600\r\n\r\n{{").into_bytes()),
            "SUBGRAPH_RESPONSE_TOO_LARGE",
        ),
        ("no end", Manner::Endless, "SUBGRAPH_RESPONSE_TOO_LARGE"),
        (
            "a gzip bomb",
            Manner::http(200, "content-encoding: gzip\r\n", "\u{1f}\u{8b}"),
            malformed,
        ),
        (
            "a proxy's error",
            Manner::http(502, "content-encoding: gzip\r\n", "x"),
            "SUBGRAPH_HTTP_ERROR",
        ),
        (
            "a byte at a time",
            Manner::Drips(
                format!("{head}40\r\n\r\n{{").into_bytes(),
                Duration::from_millis(100),
            ),
            "SUBGRAPH_TIMEOUT",
        ),
        ("never", Manner::Hangs, "SUBGRAPH_TIMEOUT"),
        (
            "a reset in the middle",
            Manner::Resets(format!("{head}40\r\n\r\n{{").into_bytes()),
            "SUBGRAPH_UNREACHABLE",
        ),
        (
            "a reset at once",
            Manner::Resets(Vec::new()),
            "SUBGRAPH_UNREACHABLE",
        ),
        (
            "no HTTP",
            Manner::Bytes(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()),
            malformed,
        ),
    ] {
        rogue.be(manner);
        let began = Instant::now();
        let answer = world.query(JOIN).await;
        assert_the_rest_is_there(&answer);
        assert!(code.is_empty() || answer.code() == code, "{what}: {answer:?}");
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{what}: {:?}",
            began.elapsed()
        );
        assert!(
            !answer.body.to_string().contains("10.0.0.1"),
            "{what}: {answer:?}"
        );
    }
    let good = entities(json!([{"rank": 1}, {"rank": 2}]));
    rogue.be(Manner::json(&good));
    world.query(JOIN).await.data();
    rogue.be(Manner::json(&entities(json!([{"stars": null}]))));
    let answer = world
        .query("{ product(upc: \"top-1\") { stars } me { name } }")
        .await;
    let wanted = json!({"product": null, "me": {"name": "Ada"}});
    assert_eq!(answer.body["data"], wanted, "null for non-null: {answer:?}");
    assert_eq!(
        answer.errors()[0]["path"],
        json!(["product", "stars"]),
        "{answer:?}"
    );
}

#[tokio::test]
async fn compressed_answers_are_asked_for_where_configured_and_cut_like_others() {
    let rogue = Rogue::start(Manner::Hangs).await;
    let (world, _folder) = with_reviews_at(rogue.url(), |config| {
        config.traffic.breaker.enabled = Some(false);
        let reviews = config.subgraphs.get_mut("reviews").expect("it is there");
        reviews.compression = true;
    })
    .await;
    let packed = |coding: &str, text: &[u8]| {
        let mut body = Vec::new();
        match coding {
            "br" => drop(brotli::CompressorWriter::new(&mut body, 4096, 5, 22).write_all(text)),
            "zstd" => body = zstd::stream::encode_all(text, 3).expect("packed"),
            _ => {
                let mut packer = flate2::write::GzEncoder::new(&mut body, flate2::Compression::best());
                packer.write_all(text).expect("packed");
                packer.finish().expect("packed");
            }
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Manner::Bytes([head.as_bytes(), &body].concat())
    };
    let good = br#"{"data":{"_entities":[{"rank":1},{"rank":2}]}}"#;
    let bomb = [&good[..], &vec![b' '; 3 * LIMIT]].concat();
    for coding in ["gzip", "br", "zstd"] {
        rogue.be(packed(coding, good));
        assert_eq!(
            world.query(JOIN).await.data()["topProducts"][1]["rank"],
            2,
            "{coding}"
        );
        assert!(rogue.requests()[0].contains("accept-encoding: gzip, br, zstd\r\n"));
        rogue.be(packed(coding, &bomb));
        let answer = world.query(JOIN).await;
        assert_the_rest_is_there(&answer);
        assert_eq!(answer.code(), "SUBGRAPH_RESPONSE_TOO_LARGE", "{coding}");
    }
    for (what, fields, body) in [
        ("not packed", "content-encoding: gzip\r\n", "{}"),
        ("packed twice", "content-encoding: gzip, gzip\r\n", "{}"),
        ("unknown", "content-encoding: compress\r\n", "{}"),
    ] {
        rogue.be(Manner::http(200, fields, body));
        let answer = world.query(JOIN).await;
        assert_the_rest_is_there(&answer);
        assert_eq!(answer.code(), "SUBGRAPH_MALFORMED_RESPONSE", "{what}");
    }
}

#[tokio::test]
async fn a_subgraph_that_is_nowhere_leaves_the_rest() {
    let refused = format!(
        "http://{}/graphql",
        crate::support::subgraph::free_address().await
    );
    for url in [refused.as_str(), "http://no-such-host.invalid/graphql"] {
        let (world, _folder) = with_reviews_at(url.parse().expect("a URL"), |_| ()).await;
        let answer = world.query(JOIN).await;
        assert_the_rest_is_there(&answer);
        // Finding out that a name is nobody's may take longer than the call may.
        let code = answer.code();
        assert!(
            ["SUBGRAPH_UNREACHABLE", "SUBGRAPH_TIMEOUT"].contains(&code),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn queries_are_repeated_once_where_it_may_help_and_within_the_budget() {
    let rogue = Rogue::start(Manner::Hangs).await;
    let (world, _folder) = with_reviews_at(rogue.url(), |_| ()).await;
    let entities = r#"{"data":{"_entities":[{"rank":1},{"rank":2}]}}"#;
    for (what, manner, sent) in [
        ("a reset", Manner::Resets(Vec::new()), 2),
        ("503", Manner::http(503, "retry-after: 0\r\n", "busy"), 2),
        ("429", Manner::http(429, "", "too many"), 2),
        (
            "a long pause",
            Manner::http(503, "retry-after: 60\r\n", "busy"),
            1,
        ),
        ("500", Manner::http(500, "", "oh"), 1),
        ("nonsense", Manner::json("nonsense"), 1),
    ] {
        rogue.be(manner);
        rogue.requests();
        assert_the_rest_is_there(&world.query(JOIN).await);
        assert_eq!(rogue.requests().len(), sent, "{what}");
    }
    rogue.be(Manner::json(entities));
    rogue.next(Manner::http(503, "", "busy"));
    world.query(JOIN).await.data();
    assert_eq!(rogue.requests().len(), 2, "the second went well");
}

#[tokio::test]
async fn without_a_budget_nothing_is_repeated() {
    let rogue = Rogue::start(Manner::http(503, "", "busy")).await;
    let (world, _folder) = with_reviews_at(rogue.url(), |config| {
        config.traffic.retry.budget = Some(0.0);
        config.traffic.retry.budget_per_second = Some(0.0);
    })
    .await;
    assert_the_rest_is_there(&world.query(JOIN).await);
    assert_eq!(rogue.requests().len(), 1);
}

#[tokio::test]
async fn a_mutation_is_never_repeated() {
    let rogue = Rogue::start(Manner::Resets(Vec::new())).await;
    let (world, _folder) = with_reviews_at(rogue.url(), |_| ()).await;
    for manner in [
        Manner::Resets(Vec::new()),
        Manner::http(503, "retry-after: 0\r\n", "busy"),
    ] {
        rogue.be(manner);
        let answer = world.query("mutation { reviewsStep(step: 1) }").await;
        assert!(!answer.errors().is_empty(), "{answer:?}");
        assert_eq!(rogue.requests().len(), 1, "{answer:?}");
    }
}

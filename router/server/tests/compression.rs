//! Compressed bodies: of requests, of answers, of streams; and bombs.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, Client, World};

const CODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];
const QUERY: &str = r#"{"query":"{ topProducts { name } }"}"#;

fn pack(coding: &str, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match coding {
        "gzip" => {
            let mut packer = flate2::write::GzEncoder::new(&mut out, flate2::Compression::best());
            packer.write_all(text).expect("packed");
            packer.finish().expect("packed");
        }
        "deflate" => {
            let mut packer = flate2::write::ZlibEncoder::new(&mut out, flate2::Compression::best());
            packer.write_all(text).expect("packed");
            packer.finish().expect("packed");
        }
        "br" => {
            let mut packer = brotli::CompressorWriter::new(&mut out, 4096, 5, 22);
            packer.write_all(text).expect("packed");
        }
        "zstd" => out = zstd::stream::encode_all(text, 3).expect("packed"),
        other => panic!("{other}"),
    }
    out
}

/// All of it, or as much as there is of a stream that has not ended.
fn unpack(coding: &str, bytes: &[u8]) -> String {
    let mut source: Box<dyn Read + '_> = match coding {
        "gzip" => Box::new(flate2::read::GzDecoder::new(bytes)),
        "deflate" => Box::new(flate2::read::ZlibDecoder::new(bytes)),
        "br" => Box::new(brotli::Decompressor::new(bytes, 4096)),
        "zstd" => Box::new(zstd::stream::read::Decoder::new(bytes).expect("a decoder")),
        other => panic!("{other}"),
    };
    let (mut text, mut byte) = (Vec::new(), [0]);
    while let Ok(1) = source.read(&mut byte) {
        text.push(byte[0]);
    }
    String::from_utf8(text).expect("text")
}

async fn post(world: &World, coding: &str, body: Vec<u8>) -> Answer {
    let client = world.client().header("content-encoding", coding);
    client.post_raw("application/json", body).await
}

#[tokio::test]
async fn compressed_requests_are_read() {
    let world = World::start().await;
    for coding in CODINGS {
        let answer = post(&world, coding, pack(coding, QUERY.as_bytes())).await;
        assert_eq!(answer.data()["topProducts"][0]["name"], "Table", "{coding}");
    }
    let plain = post(&world, "identity", QUERY.into()).await;
    assert_eq!(plain.data()["topProducts"][0]["name"], "Table");
}

#[tokio::test]
async fn an_unknown_or_repeated_coding_is_415_and_says_what_is_known() {
    let world = World::start().await;
    let twice = pack("gzip", &pack("gzip", QUERY.as_bytes()));
    for (coding, body) in [
        ("compress", QUERY.as_bytes().to_vec()),
        ("gzip, gzip", twice.clone()),
        ("", QUERY.as_bytes().to_vec()),
    ] {
        let answer = post(&world, coding, body).await;
        assert_eq!(
            (answer.status, answer.code(), answer.header("accept-encoding")),
            (415, "UNSUPPORTED_CONTENT_ENCODING", "gzip, br, zstd, deflate"),
            "{coding}"
        );
    }
    let client = world
        .client()
        .header("content-encoding", "gzip")
        .header("content-encoding", "gzip");
    let answer = client.post_raw("application/json", twice).await;
    assert_eq!(answer.code(), "UNSUPPORTED_CONTENT_ENCODING");
    let off = World::with(|config| config.compression.requests = false).await;
    let answer = post(&off, "gzip", pack("gzip", QUERY.as_bytes())).await;
    assert_eq!(
        (answer.status, answer.code()),
        (415, "UNSUPPORTED_CONTENT_ENCODING")
    );
}

#[tokio::test]
async fn a_body_that_is_not_what_it_says_is_400() {
    let world = World::start().await;
    for coding in CODINGS {
        let whole = pack(coding, QUERY.as_bytes());
        for body in [QUERY.as_bytes(), b"", &whole[..whole.len() - 3]] {
            let answer = post(&world, coding, body.to_vec()).await;
            assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"), "{coding}");
        }
    }
}

#[tokio::test]
async fn a_bomb_is_cut_at_the_limit() {
    let world = World::with(|config| config.limits.body_bytes = 100_000).await;
    // 8 MB of white space behind a request that would be answered.
    let text = [QUERY.as_bytes(), &b" ".repeat(8_000_000)].concat();
    for coding in CODINGS {
        let bomb = pack(coding, &text);
        assert!(
            bomb.len() < 100_000,
            "{coding}: the bomb itself is small: {}",
            bomb.len()
        );
        let answer = post(&world, coding, bomb).await;
        assert_eq!(
            (answer.status, answer.code()),
            (413, "BODY_TOO_LARGE"),
            "{coding}"
        );
    }
    world.query("{ me { id } }").await.data();
}

/// What a raw request for `query` gets: headers and body.
async fn get(world: &World, accepted: Option<&str>, query: &str) -> (reqwest::header::HeaderMap, Vec<u8>) {
    let mut request = reqwest::Client::new()
        .post(world.gateway.url())
        .header("content-type", "application/json")
        .body(json!({ "query": query }).to_string());
    if let Some(accepted) = accepted {
        request = request.header("accept-encoding", accepted);
    }
    let response = request.send().await.expect("an answer");
    let headers = response.headers().clone();
    (headers, response.bytes().await.expect("a body").to_vec())
}

/// An answer of some hundred KB: many names of one field.
fn large() -> String {
    let fields: Vec<String> = (0..2_000).map(|n| format!("name{n}: __typename")).collect();
    format!("{{ {} }}", fields.join(" "))
}

async fn generous() -> World {
    World::with(|config| {
        config.limits.aliases = 10_000;
        config.limits.root_fields = 10_000;
    })
    .await
}

#[tokio::test]
async fn answers_are_compressed_as_the_client_likes() {
    let world = generous().await;
    let (headers, plain) = get(&world, None, &large()).await;
    assert!(!headers.contains_key("content-encoding") && !headers.contains_key("vary"));
    for coding in CODINGS {
        let (headers, body) = get(&world, Some(coding), &large()).await;
        assert_eq!(headers["content-encoding"], coding);
        assert_eq!(headers["vary"], "accept-encoding");
        assert!(
            body.len() < plain.len() / 4,
            "{coding}: {} of {}",
            body.len(),
            plain.len()
        );
        assert_eq!(unpack(coding, &body).as_bytes(), plain, "{coding}");
    }
    let (headers, _) = get(&world, Some("gzip;q=0.5, br;q=0.9, zstd;q=0"), &large()).await;
    assert_eq!(headers["content-encoding"], "br");
    for none in ["identity", "gzip;q=0", "*;q=0", "compress"] {
        let (headers, body) = get(&world, Some(none), &large()).await;
        assert!(!headers.contains_key("content-encoding"), "{none}");
        assert_eq!(body, plain, "{none}");
    }
}

#[tokio::test]
async fn an_answer_of_any_size_comes_whole() {
    let world = generous().await;
    // Around the sizes at which the way of packing changes.
    for count in [1, 60, 1_000, 3_000, 9_000] {
        let fields: Vec<String> = (0..count).map(|n| format!("n{n}: __typename")).collect();
        let query = format!("{{ {} }}", fields.join(" "));
        let (_, plain) = get(&world, None, &query).await;
        for coding in CODINGS {
            let (headers, body) = get(&world, Some(coding), &query).await;
            let packed = headers.get("content-encoding").is_some();
            assert_eq!(packed, plain.len() >= 1024, "{coding}: {}", plain.len());
            match packed {
                true => assert_eq!(unpack(coding, &body).as_bytes(), plain, "{coding}: {count}"),
                false => assert_eq!(body, plain),
            }
        }
    }
}

#[tokio::test]
async fn small_answers_go_out_as_they_are_and_nothing_does_where_it_is_off() {
    let world = World::start().await;
    let (headers, _) = get(&world, Some("gzip"), "{ me { id } }").await;
    assert!(!headers.contains_key("content-encoding"));
    assert_eq!(
        headers["vary"], "accept-encoding",
        "another one may be compressed"
    );
    let eager = World::with(|config| config.compression.min_bytes = 1).await;
    let (headers, body) = get(&eager, Some("gzip"), "{ topProducts { __typename name } }").await;
    let text = match headers.get("content-encoding") {
        Some(_) => unpack("gzip", &body),
        None => String::from_utf8(body).expect("text"),
    };
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(answer["data"]["topProducts"][0]["name"], "Table");
    let off = World::with(|config| {
        (
            config.compression.answers,
            config.limits.aliases,
            config.limits.root_fields,
        ) = (false, 9999, 9999);
    })
    .await;
    let (headers, _) = get(&off, Some("gzip"), &large()).await;
    assert!(!headers.contains_key("content-encoding") && !headers.contains_key("vary"));
}

/// The first bytes of the body of an event stream, as soon as there are some that say `wanted`.
async fn stream_until(world: &World, wanted: &str) -> (String, String) {
    let mut stream = tokio::net::TcpStream::connect(world.gateway.addr())
        .await
        .expect("connects");
    let body = r#"{"query":"subscription { ticker(everyMs: 20) { name } }"}"#;
    let head = format!(
        "POST /graphql HTTP/1.0\r\nhost: x\r\naccept: text/event-stream\r\naccept-encoding: gzip\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    let reading = async {
        loop {
            assert!(stream.read_buf(&mut bytes).await.expect("read") > 0, "it goes on");
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let body = &bytes[end + 4..];
            let text = match head.contains("content-encoding: gzip") {
                true => unpack("gzip", body),
                false => String::from_utf8_lossy(body).into_owned(),
            };
            if text.contains(wanted) {
                return (head, text);
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), reading)
        .await
        .expect("in time")
}

#[tokio::test]
async fn streams_are_compressed_only_where_asked_for_and_each_event_comes_at_once() {
    let usual = World::start().await;
    let (head, _) = stream_until(&usual, "Couch").await;
    assert!(!head.contains("content-encoding"), "{head}");
    let world = World::with(|config| config.compression.streams = true).await;
    let (head, text) = stream_until(&world, "Couch").await;
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(text.contains("event: next") && text.contains("Table"), "{text}");
}

#[tokio::test]
async fn a_refusal_is_compressed_like_an_answer() {
    let world = generous().await;
    let query = format!(
        "{{ {} }}",
        (0..200).map(|n| format!("nobody{n} ")).collect::<String>()
    );
    let client = Client::new(world.gateway.url());
    let plain = client.query(&query).await;
    let (headers, body) = get(&world, Some("zstd"), &query).await;
    assert_eq!(headers["content-encoding"], "zstd");
    let told: Value = serde_json::from_str(&unpack("zstd", &body)).expect("JSON");
    assert_eq!(told["errors"][0], plain.body["errors"][0]);
}

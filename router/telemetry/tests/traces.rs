//! Contexts, sampling, and spans at a collector.

use std::collections::HashMap;
use std::time::Duration;

use baedal_telemetry::trace::{Kind, Sampler, Settings};
use baedal_telemetry::{Registry, TraceContext, Tracer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_traceparent_is_read_and_written() {
    let context = TraceContext::parse(HEADER).expect("a context");
    assert_eq!(context.trace(), 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
    assert_eq!(context.span(), 0xb7ad_6b71_6920_3331);
    assert!(context.sampled());
    assert_eq!(context.to_string(), HEADER);
    let child = context.child(1).to_string();
    assert_eq!(child, "00-0af7651916cd43dd8448eb211c80319c-0000000000000001-01");
}

#[test]
fn versions_to_come_are_read_and_what_is_no_context_is_not() {
    let later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more";
    assert_eq!(TraceContext::parse(later).expect("a context").to_string(), HEADER);
    for wrong in [
        "",
        "00",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c8031통-b7ad6b7169203331-01",
    ] {
        assert_eq!(TraceContext::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn the_parent_decides_and_without_one_a_share_is_kept() {
    let kept = TraceContext::parse(HEADER).expect("a context");
    let dropped = kept.with_sampled(false);
    let none = Sampler::named("parentbased_always_off", None).expect("a sampler");
    assert!(none.keeps(Some(kept), kept.trace()));
    assert!(!none.keeps(Some(dropped), kept.trace()) && !none.keeps(None, kept.trace()));
    let all = Sampler::named("always_on", None).expect("a sampler");
    assert!(all.keeps(Some(dropped), kept.trace()));
    let some = Sampler::named("parentbased_traceidratio", Some("0.25")).expect("a sampler");
    let spread = |number: u128| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let share = (1..10_000)
        .filter(|number| some.keeps(None, spread(*number)))
        .count();
    assert!((2_200..2_800).contains(&share), "{share}");
    for wrong in [
        ("traceidratio", "1.5"),
        ("traceidratio", "much"),
        ("sometimes", "1"),
    ] {
        assert_eq!(Sampler::named(wrong.0, Some(wrong.1)), None);
    }
}

#[test]
fn the_environment_names_the_collector() {
    let settings = |pairs: &[(&str, &str)]| {
        let map: HashMap<String, String> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Settings::of("order", move |name| map.get(name).cloned())
    };
    assert!(settings(&[]).expect("works").is_none());
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");
    let plain = settings(&[endpoint]).expect("works").expect("settings");
    assert_eq!(plain.endpoint, "http://collector:4318/v1/traces");
    assert_eq!(plain.service, "order");
    let named = settings(&[
        endpoint,
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://else.example/x"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=secret, x-team=a"),
        ("OTEL_SERVICE_NAME", "mine"),
    ]);
    let named = named.expect("works").expect("settings");
    assert_eq!(
        (named.endpoint.to_string().as_str(), named.service.as_str()),
        ("https://else.example/x", "mine")
    );
    assert_eq!(named.headers.len(), 2);
    assert!(!format!("{named:?}").contains("secret"));
    assert!(
        settings(&[endpoint, ("OTEL_SDK_DISABLED", "true")])
            .expect("works")
            .is_none()
    );
    let wrong = settings(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")]).expect_err("no address");
    assert!(wrong.to_string().contains("http://HOST:PORT"), "{wrong}");
}

#[test]
fn without_a_collector_a_trace_goes_on_and_nothing_is_kept() {
    let tracer = Tracer::off();
    let parent = TraceContext::parse(HEADER);
    let span = tracer.begin("request", Kind::Server, parent);
    assert_eq!(Some(span.context()), parent);
    assert!(!span.is_kept());
    let first = tracer.begin("request", Kind::Server, None).context();
    assert!(!first.sampled());
}

/// A collector: answers with these statuses, the last one over and over, and hands on the bodies.
async fn collector(statuses: &'static [u16]) -> (String, mpsc::UnboundedReceiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (told, bodies) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut statuses = statuses.iter();
        let mut status = 200;
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            status = statuses.next().copied().unwrap_or(status);
            let (mut bytes, mut room) = (Vec::new(), [0; 4096]);
            let (head, length) = loop {
                let count = stream.read(&mut room).await.expect("a request");
                assert_ne!(count, 0, "the request ended early");
                bytes.extend_from_slice(&room[..count]);
                let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                    continue;
                };
                let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                let length: usize = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .expect("a length")
                    .parse()
                    .expect("a number");
                if bytes.len() >= end + 4 + length {
                    bytes.drain(..end + 4);
                    break (head, length);
                }
            };
            bytes.truncate(length);
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.expect("written");
            let _ = told.send((head, bytes));
        }
    });
    (url, bodies)
}

fn has(body: &[u8], bytes: &[u8]) -> bool {
    body.windows(bytes.len()).any(|window| window == bytes)
}

#[tokio::test]
async fn sampled_spans_reach_the_collector() {
    let (url, mut bodies) = collector(&[200]).await;
    let registry = Registry::default();
    let tracer = Tracer::start(Settings::to("shop", &url).expect("settings"), &registry);
    let parent = TraceContext::parse(HEADER).expect("a context");
    let mut span = tracer.begin("placeOrder", Kind::Server, Some(parent));
    assert_eq!(span.context().trace(), parent.trace());
    assert_ne!(span.context().span(), parent.span());
    span.set("http.response.status_code", 200);
    span.fail("refused");
    let own = span.context().span();
    drop(span);
    drop(tracer.begin("unseen", Kind::Server, Some(parent.with_sampled(false))));
    tracer.flush(Duration::from_secs(5)).await;
    let (head, body) = bodies.recv().await.expect("a request");
    assert!(head.starts_with("post /v1/traces "), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    for part in [
        b"shop".as_slice(),
        b"placeOrder",
        b"http.response.status_code",
        b"refused",
    ] {
        assert!(has(&body, part), "{}", String::from_utf8_lossy(part));
    }
    for id in [
        &parent.trace().to_be_bytes()[..],
        &parent.span().to_be_bytes(),
        &own.to_be_bytes(),
    ] {
        assert!(has(&body, id));
    }
    assert!(!has(&body, b"unseen"));
    let page = registry.page();
    assert!(page.contains("\nbaedal_trace_spans_sent_total 1\n"), "{page}");
    assert!(page.contains("\nbaedal_trace_spans_lost_total 0\n"), "{page}");
}

#[tokio::test]
async fn a_collector_that_is_busy_is_asked_again_and_one_that_refuses_is_not() {
    let (url, mut bodies) = collector(&[503, 200, 400]).await;
    let registry = Registry::default();
    let tracer = Tracer::start(Settings::to("shop", &url).expect("settings"), &registry);
    drop(tracer.begin("first", Kind::Server, None));
    tracer.flush(Duration::from_secs(5)).await;
    drop(tracer.begin("second", Kind::Server, None));
    tracer.flush(Duration::from_secs(5)).await;
    let mut names = Vec::new();
    while let Ok((_, body)) = bodies.try_recv() {
        names.push(if has(&body, b"first") { 1 } else { 2 });
    }
    assert_eq!(names, [1, 1, 2]);
    let page = registry.page();
    assert!(page.contains("\nbaedal_trace_spans_sent_total 1\n"), "{page}");
    assert!(page.contains("\nbaedal_trace_spans_lost_total 1\n"), "{page}");
}

#[tokio::test]
async fn spans_without_a_collector_that_listens_are_dropped_and_counted() {
    let registry = Registry::default();
    let tracer = Tracer::start(
        Settings::to("shop", "http://127.0.0.1:1").expect("settings"),
        &registry,
    );
    for _ in 0..10_000 {
        drop(tracer.begin("lost", Kind::Internal, None));
    }
    tracer.flush(Duration::from_secs(20)).await;
    let page = registry.page();
    assert!(page.contains("\nbaedal_trace_spans_lost_total 10000\n"), "{page}");
}

//! What a service tells about itself, and how a trace travels through its outbox and its consumer.

use crate::{
    log::Rig,
    serve::start_told,
    store::Store,
    support::{event, eventually, fresh, read_all, record},
};
use async_trait::async_trait;
use baedal_kit::{
    consumer::{HandleError, Handler, Life, spawn_consumer_watched},
    envelope::Envelope,
    outbox::spawn_relay_watched,
    telemetry::{Telemetry, TraceContext, Tracer, trace},
};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn parent() -> TraceContext {
    TraceContext::parse(PARENT).expect("a context")
}

fn life<'a>(stop: &CancellationToken, telemetry: &'a Telemetry) -> Life<'a> {
    Life {
        shutdown: stop.clone(),
        telemetry,
    }
}

/// The value of a line of the page.
fn value(page: &str, line: &str) -> Option<f64> {
    let found = page.lines().find_map(|each| each.strip_prefix(line))?;
    found.trim().parse().ok()
}

/// Keeps what it is given, and hangs on the key `hang`.
#[derive(Default)]
struct Keeper(Mutex<Vec<Envelope>>);

#[async_trait]
impl Handler for Keeper {
    async fn handle(&self, batch: &[Envelope]) -> Result<(), HandleError> {
        if batch.iter().any(|event| event.correlation_id == "hang") {
            std::future::pending::<()>().await;
        }
        self.0.lock().expect("whole").extend_from_slice(batch);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_have_an_id_a_trace_and_a_line_of_metrics() {
    let telemetry = Telemetry::unread();
    let running = start_told(telemetry).await;
    let base = format!("http://{}", running.addr());
    let post = async |id: &str, query: &str| {
        let client = reqwest::Client::new();
        let request = client.post(format!("{base}/graphql")).header("x-request-id", id);
        let body = serde_json::json!({ "query": query });
        let request = request.header("traceparent", PARENT).json(&body);
        request.send().await.expect("sent")
    };
    let answer = post("mine-1", "{ trace }").await;
    assert_eq!(answer.headers()["x-request-id"], "mine-1");
    let body = answer.text().await.expect("a body");
    assert!(
        body.contains(PARENT),
        "without a collector the caller's trace goes on: {body}"
    );
    let made = post("not plain", "mutation { echo(text: \"a\") }").await;
    let made = made.headers()["x-request-id"].to_str().expect("plain").to_owned();
    assert_eq!(made.len(), 36, "a UUID: {made}");
    post("mine-2", "{ secret }").await;
    post("mine-3", "{ nonsense").await;
    let page = reqwest::get(format!("{base}/metrics")).await.expect("sent");
    assert_eq!(
        page.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let page = page.text().await.expect("a page");
    for (operation, outcome) in [
        ("query trace", "ok"),
        ("mutation echo", "ok"),
        ("query secret", "error"),
        ("unreadable", "error"),
    ] {
        let line = format!(
            "baedal_service_request_seconds_count{{operation=\"{operation}\",outcome=\"{outcome}\"}}"
        );
        assert_eq!(value(&page, &line), Some(1.0), "{line}\n{page}");
    }
    assert_eq!(value(&page, "baedal_service_requests_in_flight "), Some(0.0));
    assert_eq!(value(&page, "baedal_hung_loops "), Some(0.0));
    assert_eq!(value(&page, "baedal_ready{check=\"store\"}"), Some(1.0), "{page}");
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_outbox_and_the_consumer_tell_how_far_they_are() {
    let (store, rig) = (Store::sqlite().await, Rig::embedded());
    let (telemetry, stop) = (Telemetry::unread(), CancellationToken::new());
    let log = rig.process().await;
    let records = vec![
        record(&event("a", 1)),
        record(&event("b", 1)),
        record(&event("c", 1)),
    ];
    log.publish("read", records).await.expect("published");
    assert_eq!(log.lag("group", &["read"]).await.expect("told"), Some(3));
    store.put_to("written", &[event("a", 1), event("a", 2)]).await;
    let silent = Arc::new(tokio::sync::Notify::new());
    let relay = spawn_relay_watched(store.outbox(), log.clone(), silent, stop.clone(), &telemetry);
    let keeper = Arc::new(Keeper::default());
    let consumer = spawn_consumer_watched(
        log.clone(),
        "group",
        &["read"],
        keeper,
        store.letters(),
        life(&stop, &telemetry),
    );
    eventually("all is read and published", || async {
        let page = telemetry.page().await;
        value(&page, "baedal_outbox_published_total ") == Some(2.0)
            && value(&page, "baedal_outbox_waiting ") == Some(0.0)
            && value(&page, "baedal_consumer_lag{group=\"group\"}") == Some(0.0)
    })
    .await;
    let page = telemetry.page().await;
    let handled = "baedal_consumer_events_total{group=\"group\",outcome=\"handled\"}";
    assert_eq!(value(&page, handled), Some(3.0), "{page}");
    assert_eq!(value(&page, "baedal_outbox_oldest_seconds "), Some(0.0));
    assert_eq!(
        value(&page, "baedal_consumer_dead_letters_total{group=\"group\"}"),
        Some(0.0)
    );
    assert_eq!(
        value(&page, "baedal_consumer_delay_seconds_count{group=\"group\"}"),
        Some(3.0)
    );
    stop.cancel();
    relay.stopped(Duration::from_secs(5)).await;
    consumer.worker.stopped(Duration::from_secs(5)).await;
    assert_eq!(
        telemetry
            .vitals()
            .silent(Instant::now() + Duration::from_secs(3600)),
        []
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_hangs_is_named_and_one_with_nothing_to_do_is_not() {
    let (rig, telemetry, stop) = (Rig::embedded(), Telemetry::unread(), CancellationToken::new());
    let store = Store::sqlite().await;
    let log = rig.process().await;
    let keeper = Arc::new(Keeper::default());
    let consumer = spawn_consumer_watched(
        log.clone(),
        "g",
        &["t"],
        keeper,
        store.letters(),
        life(&stop, &telemetry),
    );
    let soon = || Instant::now() + Duration::from_secs(29);
    eventually("it beats while there is nothing to do", || async {
        tokio::time::sleep(Duration::from_millis(1200)).await;
        telemetry.vitals().silent(soon()).is_empty()
    })
    .await;
    log.publish("t", vec![record(&event("hang", 1))])
        .await
        .expect("published");
    eventually("its handler hangs", || async {
        let silent = telemetry.vitals().silent(soon());
        silent
            .iter()
            .any(|silent| silent.to_string().starts_with("the consumer g has given no sign"))
    })
    .await;
    stop.cancel();
    consumer.worker.stopped(Duration::from_millis(100)).await;
}

#[tokio::test]
async fn a_loop_that_goes_round_no_more_is_named() {
    let telemetry = Telemetry::unread();
    let rounds = telemetry.rounds("the sweep", Duration::from_secs(5));
    rounds.begin().await;
    let silent = |seconds| {
        telemetry
            .vitals()
            .silent(Instant::now() + Duration::from_secs(seconds))
    };
    assert_eq!(silent(124), vec![]);
    let named = silent(126);
    assert_eq!(named.len(), 1);
    assert!(
        named[0].to_string().starts_with("the sweep has given no sign"),
        "{named:?}"
    );
    rounds.begin().await;
    assert_eq!(silent(124), vec![]);
    drop(rounds);
    assert_eq!(silent(1_000), vec![], "one that has ended does not hang");
}

#[tokio::test]
async fn an_event_bears_the_trace_of_the_request_it_came_of() {
    let (store, rig) = (Store::sqlite().await, Rig::embedded());
    let (log, stop) = (rig.process().await, CancellationToken::new());
    let topic = fresh("topic");
    store.put_to(&topic, &[event("outside", 1)]).await;
    let inside = [event("inside", 1)];
    trace::within(&Tracer::off(), parent(), store.put_to(&topic, &inside)).await;
    let off = Tracer::off();
    let spawned = trace::within(&off, parent(), async {
        let store = store.clone();
        let topic = topic.clone();
        let work = async move { store.put_to(&topic, &[event("carried", 1)]).await };
        tokio::spawn(trace::carried(work)).await
    });
    spawned.await.expect("it ends");
    let telemetry = Telemetry::unread();
    let relay = spawn_relay_watched(
        store.outbox(),
        log.clone(),
        store.notify(),
        stop.clone(),
        &telemetry,
    );
    let records = read_all(&log, &topic, 3).await;
    let mut traces: Vec<(String, Option<String>)> = records
        .iter()
        .map(|record| Envelope::from_json(&record.payload).expect("an envelope"))
        .map(|event| (event.correlation_id, event.traceparent))
        .collect();
    traces.sort();
    let wanted = [
        ("carried".to_owned(), Some(PARENT.to_owned())),
        ("inside".to_owned(), Some(PARENT.to_owned())),
        ("outside".to_owned(), None),
    ];
    assert_eq!(traces, wanted);
    stop.cancel();
    relay.stopped(Duration::from_secs(5)).await;
}

/// Writes an event for each it is given, caused by it.
struct Echo {
    store: Store,
    topic: String,
}

#[async_trait]
impl Handler for Echo {
    async fn handle(&self, batch: &[Envelope]) -> Result<(), HandleError> {
        let caused = |cause: &Envelope| {
            let mut echo = event(&cause.correlation_id, 1);
            echo.causation_id = Some(cause.id.to_string());
            echo
        };
        let echoes: Vec<Envelope> = batch.iter().map(caused).collect();
        self.store.put_to(&self.topic, &echoes).await;
        Ok(())
    }
}

#[tokio::test]
async fn each_event_of_a_batch_leads_to_events_of_its_own_trace() {
    let (store, rig, stop) = (Store::sqlite().await, Rig::embedded(), CancellationToken::new());
    let (log, telemetry) = (rig.process().await, Telemetry::unread());
    let other = TraceContext::root(7, 8, false);
    let records = [("a", Some(parent())), ("b", Some(other)), ("c", None)]
        .map(|(key, context)| record(&event(key, 1).traced(context.map(|context| context.to_string()))));
    log.publish("in", records.into()).await.expect("published");
    let echo = Arc::new(Echo {
        store: store.clone(),
        topic: "out".to_owned(),
    });
    let consumer = spawn_consumer_watched(
        log.clone(),
        "g",
        &["in"],
        echo,
        store.letters(),
        life(&stop, &telemetry),
    );
    let relay = spawn_relay_watched(
        store.outbox(),
        log.clone(),
        store.notify(),
        stop.clone(),
        &telemetry,
    );
    let mut traces: Vec<(String, Option<u128>)> = read_all(&log, "out", 3)
        .await
        .iter()
        .map(|record| Envelope::from_json(&record.payload).expect("an envelope"))
        .map(|event| {
            let context = event.traceparent.as_deref().and_then(TraceContext::parse);
            (event.correlation_id, context.map(TraceContext::trace))
        })
        .collect();
    traces.sort();
    let wanted = [
        ("a".to_owned(), Some(parent().trace())),
        ("b".to_owned(), Some(other.trace())),
        ("c".to_owned(), None),
    ];
    assert_eq!(traces, wanted);
    stop.cancel();
    consumer.worker.stopped(Duration::from_secs(5)).await;
    relay.stopped(Duration::from_secs(5)).await;
}

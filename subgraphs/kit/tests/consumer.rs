//! The consumer loop with handlers that fail in every way.

use crate::{
    log::Rig,
    store::Store,
    support::{event, eventually, read_all, record},
};
use async_trait::async_trait;
use baedal_kit::{
    consumer::{ConsumerHandle, DeadLetter, HandleError, Handler, spawn_consumer},
    envelope::Envelope,
    log::{EventLog, Record},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

const TOPIC: &str = "t";

type Rule = dyn Fn(&Envelope) -> Result<(), HandleError> + Send + Sync;

/// Remembers what it handled; a batch fails where the rule says so for one of its events.
struct Scripted {
    rule: Box<Rule>,
    handled: Mutex<Vec<u64>>,
}

#[async_trait]
impl Handler for Scripted {
    fn version_of(&self, event_type: &str) -> Option<u32> {
        (event_type != "Foreign").then_some(1)
    }

    async fn handle(&self, batch: &[Envelope]) -> Result<(), HandleError> {
        batch.iter().try_for_each(|event| (self.rule)(event))?;
        self.handled
            .lock()
            .expect("unpoisoned")
            .extend(batch.iter().map(|event| event.sequence));
        Ok(())
    }
}

struct Case {
    _rig: Rig,
    _store: Store,
    log: Arc<dyn EventLog>,
    handler: Arc<Scripted>,
    stop: CancellationToken,
    consumer: ConsumerHandle,
}

impl Case {
    async fn start(
        records: Vec<Record>,
        rule: impl Fn(&Envelope) -> Result<(), HandleError> + Send + Sync + 'static,
    ) -> Case {
        let rig = Rig::embedded();
        let log = rig.process().await;
        log.publish(TOPIC, records).await.expect("published");
        let handler = Arc::new(Scripted {
            rule: Box::new(rule),
            handled: Mutex::default(),
        });
        let (stop, store) = (CancellationToken::new(), Store::sqlite().await);
        let consumer = spawn_consumer(
            Arc::clone(&log),
            "g",
            &[TOPIC],
            handler.clone(),
            store.letters(),
            stop.clone(),
        );
        Case {
            _rig: rig,
            _store: store,
            log,
            handler,
            stop,
            consumer,
        }
    }

    fn handled(&self) -> Vec<u64> {
        self.handler.handled.lock().expect("unpoisoned").clone()
    }

    async fn dead(&self, count: usize) -> Vec<DeadLetter> {
        let letters = read_all(&self.log, "t.dead", count).await;
        letters
            .iter()
            .map(|letter| serde_json::from_slice(&letter.payload).expect("a dead letter"))
            .collect()
    }

    async fn stop(self) {
        self.stop.cancel();
        self.consumer.worker.stopped(Duration::from_secs(5)).await;
    }
}

fn numbered(count: u64) -> Vec<Record> {
    (0..count).map(|n| record(&event("a", n))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_is_buried_and_the_rest_handled() {
    let case = Case::start(numbered(10), |event| match event.sequence {
        3 | 7 => Err(HandleError::Poison(format!("number {} is bad", event.sequence))),
        _ => Ok(()),
    })
    .await;
    eventually("the rest is handled", async || case.handled().len() == 8).await;
    assert_eq!(case.handled(), [0, 1, 2, 4, 5, 6, 8, 9]);
    let letters = case.dead(2).await;
    assert_eq!(letters.len(), 2);
    assert_eq!(
        (letters[0].reason.as_str(), letters[0].group.as_str()),
        ("number 3 is bad", "g")
    );
    assert_eq!((letters[0].topic.as_str(), letters[0].key.as_str()), (TOPIC, "a"));
    let original = Envelope::from_json(letters[1].payload.as_bytes()).expect("the record is kept");
    assert_eq!(original.sequence, 7);
    assert_eq!(case.consumer.stats().dead.load(Ordering::Relaxed), 2);
    case.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_buries_its_event_and_nothing_else() {
    let rule = |event: &Envelope| {
        assert_ne!(event.sequence, 4, "cannot count to four");
        Ok(())
    };
    let case = Case::start(numbered(6), rule).await;
    eventually("the rest is handled", async || case.handled() == [0, 1, 2, 3, 5]).await;
    let letters = case.dead(1).await;
    assert!(
        letters[0].reason.contains("panicked") && letters[0].reason.contains("four"),
        "{}",
        letters[0].reason
    );
    case.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_buried_and_foreign_types_are_skipped() {
    let mut newer = event("a", 1);
    newer.version = 2;
    let mut foreign = event("a", 2);
    foreign.r#type = "Foreign".into();
    let mut extended: serde_json::Value = serde_json::from_str(&event("a", 3).to_json()).expect("JSON");
    extended["addedLater"] = true.into();
    let raw = |payload: &[u8]| Record {
        key: "a".into(),
        payload: payload.to_vec(),
    };
    let records = vec![
        raw(b"not json"),
        raw(&[0xff, 0xfe, 0x00]),
        raw(b"{}"),
        record(&newer),
        record(&foreign),
        raw(extended.to_string().as_bytes()),
    ];
    let case = Case::start(records, |_| Ok(())).await;
    eventually("the readable one is handled", async || case.handled() == [3]).await;
    let letters = case.dead(4).await;
    assert_eq!(letters.len(), 4);
    assert!(
        letters[3].reason.contains("version 2 of Counted"),
        "{}",
        letters[3].reason
    );
    assert_eq!(case.consumer.stats().skipped.load(Ordering::Relaxed), 1);
    case.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passing_failure_is_waited_out_in_place() {
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let start = Instant::now();
    let case = Case::start(numbered(5), move |event| {
        if event.sequence == 2 && counted.fetch_add(1, Ordering::SeqCst) < 4 {
            return Err(HandleError::Transient(anyhow::anyhow!("the store is away")));
        }
        Ok(())
    })
    .await;
    eventually("it is handled", async || case.handled().len() == 5).await;
    assert_eq!(case.handled(), [0, 1, 2, 3, 4]);
    assert_eq!(case.consumer.stats().retries.load(Ordering::Relaxed), 4);
    // 50 + 100 + 200 + 400 ms, each between half and all of it.
    assert!(
        start.elapsed() >= Duration::from_millis(375),
        "pauses grow: {:?}",
        start.elapsed()
    );
    assert!(case.dead(0).await.is_empty());
    case.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_during_a_failure_keeps_the_position() {
    let case = Case::start(numbered(5), |_| {
        Err(HandleError::Transient(anyhow::anyhow!("away")))
    })
    .await;
    let stats = case.consumer.stats();
    eventually("it has tried", async || stats.retries.load(Ordering::Relaxed) > 1).await;
    case.stop.cancel();
    let start = Instant::now();
    case.consumer.worker.stopped(Duration::from_secs(5)).await;
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "a stop does not wait for the pause to end"
    );
    let handler = Arc::new(Scripted {
        rule: Box::new(|_| Ok(())),
        handled: Mutex::default(),
    });
    let (stop, store) = (CancellationToken::new(), Store::sqlite().await);
    let next = spawn_consumer(
        case.log,
        "g",
        &[TOPIC],
        handler.clone(),
        store.letters(),
        stop.clone(),
    );
    eventually("the next one gets all", async || {
        handler.handled.lock().expect("unpoisoned").len() == 5
    })
    .await;
    stop.cancel();
    next.worker.stopped(Duration::from_secs(5)).await;
}

//! Outbox, relay, log, consumer and inbox together: every event takes effect, once, in order per key.

use crate::{
    log::Rig,
    store::Store,
    support::{event, eventually, fresh, read_all, record},
};
use async_trait::async_trait;
use baedal_kit::{
    consumer::{HandleError, Handler, spawn_consumer},
    envelope::Envelope,
    log::{EventLog, LogError, Record},
    outbox::spawn_relay,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

const TOPIC: &str = "t";

/// Writes one effect per event, with the inbox or, to see that the inbox is what counts, without.
struct Apply {
    store: Store,
    inbox: bool,
}

#[async_trait]
impl Handler for Apply {
    async fn handle(&self, batch: &[Envelope]) -> Result<(), HandleError> {
        self.store
            .apply("counter", batch, self.inbox)
            .await
            .map_err(HandleError::Transient)
    }
}

fn by_key(effects: &[(String, i64)]) -> BTreeMap<&str, Vec<i64>> {
    let mut keys: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (key, n) in effects {
        keys.entry(key).or_default().push(*n);
    }
    keys
}

const KEYS: u64 = 20;
const PER_KEY: u64 = 25;

/// Three relays, then consumers 1 → 3 → 1, one of them killed, while events flow.
async fn each_effect_once_with_replicas(rig: Rig, store: Store) {
    let (topic, group, stop) = (fresh("topic"), fresh("group"), CancellationToken::new());
    let mut relays = Vec::new();
    for _ in 0..3 {
        relays.push(spawn_relay(
            store.outbox(),
            rig.process().await,
            store.notify(),
            stop.clone(),
        ));
    }
    let consumer = async |stop: &CancellationToken| {
        let handler = Arc::new(Apply {
            store: store.clone(),
            inbox: true,
        });
        spawn_consumer(
            rig.process().await,
            &group,
            &[&topic],
            handler,
            store.letters(),
            stop.clone(),
        )
    };
    let first = consumer(&stop).await;
    let (second_stops, mut others) = (CancellationToken::new(), Vec::new());
    for n in 0..PER_KEY {
        let round: Vec<Envelope> = (0..KEYS).map(|key| event(&format!("key-{key}"), n)).collect();
        store.put_to(&topic, &round).await;
        match n {
            5 => others.push(consumer(&stop).await),
            8 => others.push(consumer(&second_stops).await),
            12 => others[0].worker.abort(),
            15 => relays[0].abort(),
            18 => second_stops.cancel(),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    let all = usize::try_from(KEYS * PER_KEY).expect("small");
    eventually("all effects are there", async || {
        store.effects().await.len() >= all
    })
    .await;
    // Time for duplicates to show, and for the outbox to be emptied.
    eventually("the outbox is empty", async || {
        store.outbox().depth().await.is_ok_and(|depth| depth.rows == 0)
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let effects = store.effects().await;
    let per_key: Vec<i64> = (0..PER_KEY as i64).collect();
    assert_eq!(effects.len(), all);
    assert!(
        by_key(&effects).values().all(|numbers| *numbers == per_key),
        "once each, in order"
    );
    stop.cancel();
    first.worker.stopped(Duration::from_secs(10)).await;
    for relay in relays {
        relay.stopped(Duration::from_secs(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_effect_once_on_sqlite_and_the_embedded_log() {
    each_effect_once_with_replicas(Rig::embedded(), Store::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_effect_once_on_postgres_and_kafka() {
    if let (Some(rig), Some(store)) = (Rig::kafka(), Store::postgres().await) {
        each_effect_once_with_replicas(rig, store).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_effect_once_on_mongodb_and_kafka() {
    if let (Some(rig), Some(store)) = (Rig::kafka(), Store::mongo().await) {
        each_effect_once_with_replicas(rig, store).await;
    }
}

/// A record that is delivered twice: how often it takes effect.
async fn effects_of_a_duplicate(inbox: bool) -> usize {
    let (rig, store, stop) = (Rig::embedded(), Store::sqlite().await, CancellationToken::new());
    let log = rig.process().await;
    let duplicate = record(&event("a", 1));
    log.publish(TOPIC, vec![duplicate.clone()])
        .await
        .expect("published");
    let handler = Arc::new(Apply {
        store: store.clone(),
        inbox,
    });
    let consumer = spawn_consumer(
        Arc::clone(&log),
        "g",
        &[TOPIC],
        handler,
        store.letters(),
        stop.clone(),
    );
    eventually("the first effect", async || store.effects().await.len() == 1).await;
    log.publish(TOPIC, vec![duplicate]).await.expect("published");
    let stats = consumer.stats();
    eventually("the second delivery", async || {
        stats.handled.load(Ordering::Relaxed) == 2
    })
    .await;
    stop.cancel();
    consumer.worker.stopped(Duration::from_secs(5)).await;
    store.effects().await.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_has_no_effect() {
    assert_eq!(effects_of_a_duplicate(true).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_within_a_batch_has_no_effect() {
    let (rig, store, stop) = (Rig::embedded(), Store::sqlite().await, CancellationToken::new());
    let log = rig.process().await;
    let twice = record(&event("a", 1));
    let records = vec![twice.clone(), twice.clone(), record(&event("a", 2)), twice];
    log.publish(TOPIC, records).await.expect("published");
    let handler = Arc::new(Apply {
        store: store.clone(),
        inbox: true,
    });
    let consumer = spawn_consumer(log, "g", &[TOPIC], handler, store.letters(), stop.clone());
    eventually("both events", async || store.effects().await.len() >= 2).await;
    assert_eq!(consumer.stats().repeated.load(Ordering::Relaxed), 2);
    stop.cancel();
    consumer.worker.stopped(Duration::from_secs(5)).await;
    assert_eq!(store.effects().await, [("a".to_owned(), 1), ("a".to_owned(), 2)]);
}

/// The sabotage: without the inbox the suite above would fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_inbox_a_duplicate_doubles_the_effect() {
    assert_eq!(effects_of_a_duplicate(false).await, 2);
}

/// A log whose publishing fails for a while, the first time after it had stored the records.
struct Flaky {
    log: Arc<dyn EventLog>,
    failures: AtomicU32,
}

#[async_trait]
impl EventLog for Flaky {
    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), LogError> {
        match self.failures.fetch_add(1, Ordering::SeqCst) {
            0 => {
                self.log.publish(topic, records).await?;
                Err(LogError::Unavailable("the answer was lost".into()))
            }
            1..4 => Err(LogError::Unavailable("away".into())),
            _ => self.log.publish(topic, records).await,
        }
    }

    async fn join(
        &self,
        group: &str,
        topics: &[&str],
    ) -> Result<Box<dyn baedal_kit::log::Consumer>, LogError> {
        self.log.join(group, topics).await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.log.ping().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_outlives_a_log_that_is_away() {
    let (rig, store, stop) = (Rig::embedded(), Store::sqlite().await, CancellationToken::new());
    let log = rig.process().await;
    let flaky = Arc::new(Flaky {
        log: Arc::clone(&log),
        failures: AtomicU32::new(0),
    });
    let relay = spawn_relay(store.outbox(), flaky, store.notify(), stop.clone());
    let events: Vec<Envelope> = (0..10).map(|n| event("a", n)).collect();
    store.put_to(TOPIC, &events).await;
    eventually("the outbox is empty", async || {
        store.outbox().depth().await.is_ok_and(|depth| depth.rows == 0)
    })
    .await;
    stop.cancel();
    relay.stopped(Duration::from_secs(5)).await;
    let ids: Vec<_> = read_all(&log, TOPIC, 20)
        .await
        .iter()
        .map(|record| Envelope::from_json(&record.payload).expect("an envelope").id)
        .collect();
    let sent: Vec<_> = events.iter().map(|event| event.id).collect();
    assert_eq!(
        ids,
        [sent.clone(), sent].concat(),
        "the lost answer repeats them, in order; none is missing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_relay_sends_what_it_has_and_gives_the_lease_back() {
    let (rig, store, stop) = (Rig::embedded(), Store::sqlite().await, CancellationToken::new());
    let log = rig.process().await;
    let relay = spawn_relay(store.outbox(), Arc::clone(&log), store.notify(), stop.clone());
    store.put_to(TOPIC, &[event("a", 1)]).await;
    stop.cancel();
    relay.stopped(Duration::from_secs(5)).await;
    assert_eq!(read_all(&log, TOPIC, 1).await.len(), 1);
    assert!(
        store
            .outbox()
            .lease("next", Duration::from_secs(1))
            .await
            .expect("an answer")
    );
}

//! Dead letters: kept by every store, and applied after all.

use crate::{
    log::Rig,
    store::Store,
    support::{event, eventually, fresh, record},
};
use async_trait::async_trait;
use baedal_kit::{
    consumer::{
        ConsumerHandle, DeadLetter, HandleError, Handler, Kept,
        redrive::{Chosen, Outcome, RedriveError},
        spawn_consumer,
    },
    envelope::Envelope,
    log::{EventLog, Record},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

fn letter(n: i64) -> Kept {
    Kept {
        id: format!("some.topic/3/{n}"),
        letter: DeadLetter {
            reason: "broken".to_owned(),
            group: "some".to_owned(),
            topic: "some.topic".to_owned(),
            partition: 3,
            offset: n,
            key: "열쇠".to_owned(),
            payload: format!("{{\"n\":{n}}}"),
        },
        whole: n != 2,
        buried_at: 1_000 + n / 2,
        attempts: 0,
    }
}

fn ids(letters: &[Kept]) -> Vec<&str> {
    letters.iter().map(|kept| kept.id.as_str()).collect()
}

async fn letters_are_kept_paged_and_removed(store: Store) {
    let letters = store.letters();
    for n in [4, 1, 3, 2, 1] {
        letters.keep(&letter(n)).await.expect("kept");
    }
    assert_eq!(letters.count().await.expect("counted"), 4);
    let first = letters.page(None, 3).await.expect("a page");
    assert_eq!(
        first,
        [letter(1), letter(2), letter(3)],
        "all of them, by time and id"
    );
    let last = &first[2];
    let rest = letters
        .page(Some((last.buried_at, &last.id)), 3)
        .await
        .expect("a page");
    assert_eq!(rest, [letter(4)]);
    let named = [letter(3).id, letter(1).id, "absent".to_owned()];
    assert_eq!(letters.find(&named).await.expect("found"), [letter(1), letter(3)]);
    assert_eq!(letters.find(&[]).await.expect("found"), []);
    assert_eq!(letters.remove(&named).await.expect("removed"), 2);
    assert_eq!(letters.count().await.expect("counted"), 2);
}

async fn letters_tried_in_vain_come_last(store: Store) {
    let letters = store.letters();
    for n in [1, 2, 3] {
        letters.keep(&letter(n)).await.expect("kept");
    }
    letters
        .refused(&letter(1).id, "still broken")
        .await
        .expect("noted");
    // Buried once more after a crash: what is known of it stays.
    letters.keep(&letter(1)).await.expect("kept");
    let due = letters.due(10).await.expect("read");
    assert_eq!(ids(&due), [letter(2).id, letter(3).id, letter(1).id]);
    assert_eq!(
        (due[2].attempts, due[2].letter.reason.as_str()),
        (1, "still broken")
    );
    assert_eq!(letters.due(1).await.expect("read").len(), 1);
}

crate::store::suite!(
    letters_are_kept_paged_and_removed,
    letters_tried_in_vain_come_last
);

const REFUSES: u8 = 0;
const AWAY: u8 = 1;
const WORKS: u8 = 2;

/// Applies events with the inbox; those of key `odd` only once it has been repaired.
struct Repairable {
    store: Store,
    mode: AtomicU8,
}

#[async_trait]
impl Handler for Repairable {
    async fn handle(&self, batch: &[Envelope]) -> Result<(), HandleError> {
        let odd = batch.iter().any(|event| event.correlation_id == "odd");
        match self.mode.load(Ordering::SeqCst) {
            REFUSES if odd => Err(HandleError::Poison("odd".to_owned())),
            AWAY => Err(HandleError::Transient(anyhow::anyhow!("the store is away"))),
            _ => self
                .store
                .apply("c", batch, true)
                .await
                .map_err(HandleError::Transient),
        }
    }
}

struct Case {
    _rig: Rig,
    log: Arc<dyn EventLog>,
    topic: String,
    store: Store,
    handler: Arc<Repairable>,
    consumer: ConsumerHandle,
    stop: CancellationToken,
}

impl Case {
    /// Three events, two of which are given up, and a record that is no event.
    async fn start(rig: Rig, store: Store) -> Case {
        let (log, topic, stop) = (rig.process().await, fresh("topic"), CancellationToken::new());
        let nonsense = Record {
            key: "odd".to_owned(),
            payload: b"\0\xff".to_vec(),
        };
        let mut records: Vec<Record> = [("odd", 1), ("even", 1), ("odd", 2)]
            .map(|(key, n)| record(&event(key, n)))
            .into();
        records.push(nonsense);
        log.publish(&topic, records).await.expect("published");
        let handler = Arc::new(Repairable {
            store: store.clone(),
            mode: AtomicU8::new(REFUSES),
        });
        let consumer = spawn_consumer(
            Arc::clone(&log),
            &fresh("group"),
            &[&topic],
            handler.clone(),
            store.letters(),
            stop.clone(),
        );
        let case = Case {
            _rig: rig,
            log,
            topic,
            store,
            handler,
            consumer,
            stop,
        };
        eventually("three are given up and one has its effect", async || {
            case.left().await == 3 && case.store.effects().await.len() == 1
        })
        .await;
        case
    }

    async fn left(&self) -> u64 {
        self.store.letters().count().await.expect("counted")
    }

    fn mode(&self, mode: u8) {
        self.handler.mode.store(mode, Ordering::SeqCst);
    }

    async fn all(&self) -> Outcome {
        self.consumer.redrive().run(Chosen::All).await.expect("tried")
    }

    async fn end(self) {
        self.stop.cancel();
        self.consumer.worker.stopped(Duration::from_secs(10)).await;
    }
}

async fn letters_take_effect_once_after_the_repair(rig: Rig, store: Store) {
    let case = Case::start(rig, store).await;
    assert_eq!(
        case.all().await.applied,
        [] as [&str; 0],
        "nothing is repaired yet"
    );
    assert_eq!(case.left().await, 3);
    case.mode(WORKS);
    // As after a crash between the effect and the removal: one has taken effect, and is still a letter.
    let before = case.store.letters().due(3).await.expect("read");
    let one = before.iter().find(|kept| kept.whole).expect("an event").clone();
    let again = Chosen::Ids(vec![one.id.clone()]);
    assert_eq!(
        case.consumer.redrive().run(again).await.expect("tried").applied,
        std::slice::from_ref(&one.id)
    );
    case.store.letters().keep(&one).await.expect("kept");
    let outcome = case.all().await;
    assert_eq!(
        (outcome.applied.len(), outcome.refused.len()),
        (2, 1),
        "{outcome:?}"
    );
    assert!(outcome.refused[0].1.contains("not text"), "{outcome:?}");
    let mut effects = case.store.effects().await;
    effects.sort();
    let expected = [("even", 1), ("odd", 1), ("odd", 2)].map(|(key, n)| (key.to_owned(), n));
    assert_eq!(effects, expected, "each once");
    assert_eq!(case.left().await, 1);
    // The consumer has gone on all along.
    let later = record(&event("odd", 3));
    case.log
        .publish(&case.topic, vec![later])
        .await
        .expect("published");
    eventually("the next event", async || case.store.effects().await.len() == 4).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_take_effect_on_sqlite_and_the_embedded_log() {
    letters_take_effect_once_after_the_repair(Rig::embedded(), Store::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_take_effect_on_postgres_and_kafka() {
    if let (Some(rig), Some(store)) = (Rig::kafka(), Store::postgres().await) {
        letters_take_effect_once_after_the_repair(rig, store).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_take_effect_on_mongodb_and_kafka() {
    if let (Some(rig), Some(store)) = (Rig::kafka(), Store::mongo().await) {
        letters_take_effect_once_after_the_repair(rig, store).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_stays_while_the_handlers_store_is_away() {
    let case = Case::start(Rig::embedded(), Store::sqlite().await).await;
    case.mode(AWAY);
    let error = case
        .consumer
        .redrive()
        .run(Chosen::All)
        .await
        .expect_err("it is away");
    assert!(matches!(error, RedriveError::Transient(_)), "{error}");
    assert_eq!(case.left().await, 3);
    let stranger = Chosen::Ids(vec!["nowhere/0/1".to_owned()]);
    let outcome = case.consumer.redrive().run(stranger).await.expect("tried");
    assert_eq!(outcome.refused[0].1, "there is no such dead letter");
    case.end().await;
}

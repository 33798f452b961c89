//! The behaviour of an event log, on the embedded file and on Kafka.

use crate::support::{folder, fresh, read, server};
use baedal_kit::log::{
    Consumer, EventLog, LogError, MAX_PAYLOAD, Record,
    embedded::Embedded,
    kafka::{Kafka, Patience},
    namespaced::Namespaced,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Long enough for a rebalance of either adapter.
const PATIENT: Duration = Duration::from_secs(25);

/// A log that can be opened again as another process would.
pub enum Rig {
    File(TempDir),
    Kafka(String),
    /// A part of an embedded log, under a name of its own.
    Namespaced(TempDir),
}

impl Rig {
    pub fn embedded() -> Rig {
        Rig::File(folder())
    }

    pub fn kafka() -> Option<Rig> {
        server("KAFKA_BROKERS").map(Rig::Kafka)
    }

    /// One more process's view of the log.
    pub async fn process(&self) -> Arc<dyn EventLog> {
        match self {
            Rig::File(folder) => {
                let path = folder.path().join("events.db");
                Embedded::open_apart(path.to_str().expect("a path"))
                    .await
                    .expect("the file opens")
            }
            Rig::Namespaced(folder) => {
                let path = folder.path().join("events.db");
                let inner = Embedded::open_apart(path.to_str().expect("a path"))
                    .await
                    .expect("the file opens");
                Arc::new(Namespaced::new(inner, "part").expect("a plain name"))
            }
            Rig::Kafka(brokers) => {
                let patience = Patience {
                    session: Duration::from_secs(6),
                    poll: Duration::from_secs(6),
                };
                Arc::new(Kafka::open_patient(brokers, patience).expect("the brokers' names are good"))
            }
        }
    }
}

fn records(keys: usize, per_key: usize) -> Vec<Record> {
    (0..keys * per_key)
        .map(|n| Record {
            key: format!("key-{}", n % keys),
            payload: format!("{n}").into_bytes(),
        })
        .collect()
}

fn number(payload: &[u8]) -> usize {
    String::from_utf8_lossy(payload).parse().expect("a number")
}

/// Reads until so many different records were seen: after a rebalance what was not committed comes again.
async fn read_new(member: &mut dyn Consumer, seen: &mut BTreeSet<usize>, enough: usize) {
    let end = Instant::now() + PATIENT;
    while seen.len() < enough && Instant::now() < end {
        let records = member
            .poll(200, Duration::from_millis(200))
            .await
            .expect("a poll");
        seen.extend(records.iter().map(|record| number(&record.payload)));
    }
}

async fn order_holds_per_key(rig: Rig) {
    let (log, topic) = (rig.process().await, fresh("topic"));
    for batch in records(10, 30).chunks(50) {
        log.publish(&topic, batch.to_vec()).await.expect("published");
    }
    let mut member = log.join(&fresh("group"), &[&topic]).await.expect("joined");
    let got = read(member.as_mut(), 300, PATIENT).await;
    assert_eq!(got.len(), 300);
    let mut keys: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut partitions: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    let mut offsets: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for record in &got {
        keys.entry(&record.key).or_default().push(number(&record.payload));
        partitions
            .entry(&record.key)
            .or_default()
            .insert(record.partition);
        offsets.entry(record.partition).or_default().push(record.offset);
    }
    assert!(
        keys.values()
            .all(|numbers| numbers.len() == 30 && numbers.is_sorted())
    );
    assert!(
        partitions.values().all(|partitions| partitions.len() == 1),
        "a key is in one partition"
    );
    assert!(
        offsets.values().all(|offsets| offsets.is_sorted_by(|a, b| a < b)),
        "offsets grow"
    );
    assert!(offsets.len() > 1, "keys are spread over partitions");
    member.close().await;
}

async fn each_group_reads_everything(rig: Rig) {
    let (log, topic) = (rig.process().await, fresh("topic"));
    log.publish(&topic, records(5, 10)).await.expect("published");
    for _ in 0..2 {
        let mut member = log.join(&fresh("group"), &[&topic]).await.expect("joined");
        assert_eq!(read(member.as_mut(), 50, PATIENT).await.len(), 50);
        member.close().await;
    }
}

async fn a_group_goes_on_where_it_committed(rig: Rig) {
    let (log, topic, group) = (rig.process().await, fresh("topic"), fresh("group"));
    log.publish(&topic, records(4, 10)).await.expect("published");
    let mut member = log.join(&group, &[&topic]).await.expect("joined");
    assert_eq!(read(member.as_mut(), 40, PATIENT).await.len(), 40);
    member.commit().await.expect("committed");
    member.close().await;
    // It is down while a hundred more come.
    log.publish(&topic, records(10, 10)).await.expect("published");
    let mut member = rig.process().await.join(&group, &[&topic]).await.expect("joined");
    let missed = read(member.as_mut(), 100, PATIENT).await;
    assert_eq!(missed.len(), 100, "all it missed, and nothing it had committed");
    assert!(
        read(member.as_mut(), 1, Duration::from_millis(500))
            .await
            .is_empty()
    );
    member.close().await;
}

async fn what_was_not_committed_comes_again(rig: Rig) {
    let (log, topic, group) = (rig.process().await, fresh("topic"), fresh("group"));
    log.publish(&topic, records(3, 10)).await.expect("published");
    let mut member = log.join(&group, &[&topic]).await.expect("joined");
    assert_eq!(read(member.as_mut(), 30, PATIENT).await.len(), 30);
    member.close().await;
    let mut member = log.join(&group, &[&topic]).await.expect("joined");
    assert_eq!(read(member.as_mut(), 30, PATIENT).await.len(), 30);
    member.close().await;
}

async fn three_members_share_the_work(rig: Rig) {
    let (log, topic, group) = (rig.process().await, fresh("topic"), fresh("group"));
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(rig.process().await.join(&group, &[&topic]).await.expect("joined"));
    }
    // All polls run at once, as they would in three processes: until each has taken its share.
    futures_util::future::join_all(
        members
            .iter_mut()
            .map(|m| read(m.as_mut(), 1, Duration::from_secs(5))),
    )
    .await;
    log.publish(&topic, records(30, 10)).await.expect("published");
    let shares = members
        .iter_mut()
        .map(|m| read(m.as_mut(), 300, Duration::from_secs(4)));
    let shares = futures_util::future::join_all(shares).await;
    let readers: Vec<BTreeSet<i32>> = shares
        .iter()
        .map(|s| s.iter().map(|r| r.partition).collect())
        .collect();
    assert!(
        readers.iter().all(|partitions| !partitions.is_empty()),
        "everybody works: {readers:?}"
    );
    assert_eq!(
        readers.iter().map(BTreeSet::len).sum::<usize>(),
        6,
        "no partition has two readers: {readers:?}"
    );
    assert_eq!(shares.iter().map(Vec::len).sum::<usize>(), 300);
    for member in &mut members {
        member.commit().await.expect("committed");
    }
    futures_util::future::join_all(members.into_iter().map(|member| member.close())).await;
}

async fn the_others_take_over_from_one_that_leaves_or_dies(rig: Rig) {
    for dies in [false, true] {
        let (log, topic, group) = (rig.process().await, fresh("topic"), fresh("group"));
        let first = rig.process().await;
        let mut leaver = first.join(&group, &[&topic]).await.expect("joined");
        let mut stayer = rig.process().await.join(&group, &[&topic]).await.expect("joined");
        let wait = Duration::from_secs(5);
        tokio::join!(read(leaver.as_mut(), 1, wait), read(stayer.as_mut(), 1, wait));
        if dies {
            drop(leaver)
        } else {
            leaver.close().await
        }
        log.publish(&topic, records(30, 1)).await.expect("published");
        let mut seen = BTreeSet::new();
        read_new(stayer.as_mut(), &mut seen, 30).await;
        assert_eq!(seen.len(), 30, "dies: {dies}");
        stayer.close().await;
    }
}

async fn one_that_lost_its_partitions_cannot_commit(rig: Rig) {
    let (log, topic, group) = (rig.process().await, fresh("topic"), fresh("group"));
    log.publish(&topic, records(30, 1)).await.expect("published");
    let mut stuck = log.join(&group, &[&topic]).await.expect("joined");
    assert_eq!(read(stuck.as_mut(), 30, PATIENT).await.len(), 30);
    // While it works on them, and polls no more, another takes its partitions.
    let mut next = rig.process().await.join(&group, &[&topic]).await.expect("joined");
    let mut seen = BTreeSet::new();
    read_new(next.as_mut(), &mut seen, 1).await;
    assert!(!seen.is_empty(), "the newcomer gets partitions");
    assert!(matches!(stuck.commit().await, Err(LogError::Fenced)));
    stuck.close().await;
    read_new(next.as_mut(), &mut seen, 30).await;
    assert_eq!(seen.len(), 30, "nothing was lost by the refused commit");
    next.commit().await.expect("the owner may commit");
    next.close().await;
}

async fn a_reader_hears_of_a_record_soon(rig: Rig) {
    let (topic, group) = (fresh("topic"), fresh("group"));
    let mut member = rig.process().await.join(&group, &[&topic]).await.expect("joined");
    read(member.as_mut(), 1, Duration::from_secs(4)).await;
    let start = Instant::now();
    assert!(
        member
            .poll(10, Duration::from_millis(300))
            .await
            .expect("a poll")
            .is_empty()
    );
    assert!(start.elapsed() >= Duration::from_millis(250), "a poll waits");
    rig.process()
        .await
        .publish(&topic, records(1, 1))
        .await
        .expect("published");
    let start = Instant::now();
    assert_eq!(
        member
            .poll(10, Duration::from_secs(5))
            .await
            .expect("a poll")
            .len(),
        1
    );
    assert!(
        start.elapsed() < Duration::from_millis(1500),
        "{:?}",
        start.elapsed()
    );
    member.close().await;
}

async fn an_oversized_record_is_refused(rig: Rig) {
    let (log, topic) = (rig.process().await, fresh("topic"));
    let big = Record {
        key: "k".into(),
        payload: vec![b'x'; MAX_PAYLOAD + 1],
    };
    assert!(matches!(
        log.publish(&topic, vec![big]).await,
        Err(LogError::Refused(_))
    ));
    let fits = Record {
        key: "k".into(),
        payload: vec![b'x'; MAX_PAYLOAD],
    };
    log.publish(&topic, vec![fits])
        .await
        .expect("the largest size allowed is taken");
}

/// One test per behaviour and adapter.
macro_rules! suite {
    ($($behaviour:ident),+ $(,)?) => {
        mod on_embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                super::$behaviour(super::Rig::embedded()).await;
            })+
        }
        mod on_namespaced {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                super::$behaviour(super::Rig::Namespaced(super::folder())).await;
            })+
        }
        mod on_kafka {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                if let Some(rig) = super::Rig::kafka() {
                    super::$behaviour(rig).await;
                }
            })+
        }
    };
}

suite!(
    order_holds_per_key,
    each_group_reads_everything,
    a_group_goes_on_where_it_committed,
    what_was_not_committed_comes_again,
    three_members_share_the_work,
    the_others_take_over_from_one_that_leaves_or_dies,
    one_that_lost_its_partitions_cannot_commit,
    a_reader_hears_of_a_record_soon,
    an_oversized_record_is_refused,
);

#[tokio::test]
async fn namespaces_of_one_log_do_not_see_each_other() {
    let folder = folder();
    let path = folder.path().join("events.db");
    let inner = Embedded::open(path.to_str().expect("a path"))
        .await
        .expect("the file opens");
    let of = |name: &str| Namespaced::new(inner.clone(), name).expect("a plain name");
    let (ours, theirs) = (of("ours"), of("theirs"));
    ours.publish("topic", records(1, 1)).await.expect("published");
    let mut reader = theirs.join("group", &["topic"]).await.expect("joined");
    assert!(
        reader
            .poll(10, Duration::from_millis(300))
            .await
            .expect("polled")
            .is_empty()
    );
    let mut reader = ours.join("group", &["topic"]).await.expect("joined");
    let seen = reader.poll(10, PATIENT).await.expect("polled");
    assert_eq!(
        seen.iter()
            .map(|record| record.topic.as_str())
            .collect::<Vec<_>>(),
        ["topic"],
        "under its own name"
    );
}

#[tokio::test]
async fn a_namespace_is_a_plain_name() {
    let message = refusal("kafka://127.0.0.1:9092/a.b").await;
    assert!(message.contains("a.b"), "{message}");
}

async fn refusal(url: &str) -> String {
    match baedal_kit::log::open(url).await {
        Err(LogError::Open(message)) => message,
        Err(other) => panic!("not an open error: {other}"),
        Ok(_) => panic!("{url} was opened"),
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_with_advice() {
    let folder = folder();
    let path = folder.path().join("events.db");
    std::fs::write(
        &path,
        "this is not a database, but it is long enough to look at: ".repeat(100),
    )
    .expect("written");
    let message = refusal(&format!("embedded:{}", path.display())).await;
    assert!(
        message.contains("events.db") && message.contains("damaged"),
        "{message}"
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let message = refusal("embedded:/proc/no/such/events.db").await;
    assert!(message.contains("/proc/no/such"), "{message}");
}

#[tokio::test]
async fn urls_that_are_no_log_are_refused_with_examples() {
    for url in [
        "",
        "nats://x",
        "kafka://",
        "kafka://host",
        "kafka://host:notaport",
    ] {
        let message = refusal(url).await;
        assert!(message.contains("kafka://HOST:PORT"), "{url}: {message}");
    }
}

#[tokio::test]
async fn a_file_opened_twice_in_a_process_is_one_log() {
    let folder = folder();
    let url = format!("embedded:{}/events.db", folder.path().display());
    let (one, two) = (
        baedal_kit::log::open(&url).await.expect("opened"),
        baedal_kit::log::open(&url).await.expect("opened"),
    );
    let mut member = one.join("g", &["t"]).await.expect("joined");
    member.poll(1, Duration::ZERO).await.expect("a poll");
    let waiting = tokio::spawn(async move {
        let start = Instant::now();
        let got = member
            .poll(1, Duration::from_secs(5))
            .await
            .expect("a poll")
            .len();
        (got, start.elapsed())
    });
    tokio::time::sleep(Duration::from_millis(60)).await;
    two.publish("t", records(1, 1)).await.expect("published");
    let (got, _) = waiting.await.expect("no panic");
    assert_eq!(got, 1);
}

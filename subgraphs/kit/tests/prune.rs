//! What cannot come again is forgotten, and nothing else.

use crate::{
    log::Rig,
    store::Store,
    support::{event, fresh, read, read_all, record},
};
use baedal_kit::{
    log::{Consumer, EventLog, LogError},
    prune::{BATCH, Forgotten, Pruner, Retention, SeenEvents},
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3_600);
const PATIENT: Duration = Duration::from_secs(10);

fn ids(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::now_v7()).collect()
}

async fn forget(inbox: &Arc<dyn SeenEvents>, age: Duration, most: usize) -> u64 {
    inbox.forget(age, most).await.expect("the store answers")
}

async fn the_inbox_forgets_what_is_old_a_few_at_a_time(store: Store) {
    let (inbox, seen, consumer) = (store.inbox(), ids(5), fresh("c"));
    assert_eq!(store.first_times(&consumer, &seen).await.len(), 5);
    // Ages are counted in milliseconds.
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(forget(&inbox, HOUR, 10).await, 0, "nothing is an hour old");
    assert_eq!(store.first_times(&consumer, &seen).await.len(), 0, "all is known");
    assert_eq!(forget(&inbox, Duration::ZERO, 3).await, 3);
    assert_eq!(
        store.first_times(&consumer, &seen).await.len(),
        3,
        "those three are new again"
    );
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(forget(&inbox, Duration::ZERO, 10).await, 5);
    assert_eq!(forget(&inbox, Duration::ZERO, 10).await, 0);
}

crate::store::suite!(the_inbox_forgets_what_is_old_a_few_at_a_time);

/// A group that has read and finished `count` records of the topic.
async fn reader(log: &Arc<dyn EventLog>, group: &str, topic: &str, count: usize) -> Box<dyn Consumer> {
    let mut member = log.join(group, &[topic]).await.expect("joined");
    let mut left = count;
    while left > 0 {
        let records = member.poll(left, PATIENT).await.expect("a poll");
        assert!(!records.is_empty(), "{left} more");
        left -= records.len();
    }
    member.commit().await.expect("committed");
    member
}

async fn publish(log: &Arc<dyn EventLog>, topic: &str, count: u64) {
    let records = (0..count).map(|n| record(&event("one key", n))).collect();
    log.publish(topic, records).await.expect("published");
}

async fn prune(log: &Arc<dyn EventLog>) -> u64 {
    // Ages are counted in milliseconds.
    tokio::time::sleep(Duration::from_millis(30)).await;
    log.prune(Duration::ZERO, 1_000).await.expect("pruned")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_goes_when_every_group_has_read_it() {
    let rig = Rig::embedded();
    let log = rig.process().await;
    publish(&log, "t", 10).await;
    publish(&log, "unread", 4).await;
    let fast = reader(&log, "fast", "t", 10).await;
    let mut slow = reader(&log, "slow", "t", 3).await;
    assert_eq!(
        log.prune(HOUR, 1_000).await.expect("pruned"),
        0,
        "nothing is an hour old"
    );
    assert_eq!(
        prune(&log).await,
        3 + 4,
        "what both have read, and what nobody reads"
    );
    assert_eq!(prune(&log).await, 0);
    let rest = read(slow.as_mut(), 7, PATIENT).await;
    assert_eq!(rest.len(), 7, "the slow one misses nothing");
    assert_eq!(prune(&log).await, 0, "read is not finished");
    slow.commit().await.expect("committed");
    assert_eq!(prune(&log).await, 7);
    publish(&log, "t", 2).await;
    let next = read(slow.as_mut(), 2, PATIENT).await;
    assert_eq!(next.len(), 2, "an emptied log goes on");
    assert!(next[0].offset > rest[6].offset, "offsets are never given again");
    assert_eq!(read_all(&log, "t", 2).await.len(), 2);
    fast.close().await;
    slow.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_has_just_joined_loses_nothing() {
    let rig = Rig::embedded();
    let log = rig.process().await;
    publish(&log, "t", 5).await;
    reader(&log, "old", "t", 5).await.close().await;
    let mut new = log.join("new", &["t"]).await.expect("joined");
    assert_eq!(prune(&log).await, 0);
    assert_eq!(read(new.as_mut(), 5, PATIENT).await.len(), 5);
    new.commit().await.expect("committed");
    assert_eq!(prune(&log).await, 5);
    new.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_forgets_more_than_one_batch_and_then_rests() {
    let (rig, store) = (Rig::embedded(), Store::sqlite().await);
    let log = rig.process().await;
    publish(&log, "t", 30).await;
    let count = BATCH * 2 + 7;
    store.first_times("c", &ids(count)).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let retention = |inbox, events| Pruner {
        inbox: store.inbox(),
        log: Arc::clone(&log),
        retention: Retention { inbox, events },
    };
    let kept = retention(HOUR, HOUR).pass().await.expect("a pass");
    assert_eq!(kept, Forgotten::default());
    let forgotten = retention(Duration::ZERO, Duration::ZERO)
        .pass()
        .await
        .expect("a pass");
    let all = Forgotten {
        inbox: count as u64,
        events: 30,
    };
    assert_eq!(forgotten, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_forget_by_themselves() -> Result<(), LogError> {
    if let Some(rig) = Rig::kafka() {
        assert_eq!(rig.process().await.prune(Duration::ZERO, 10).await?, 0);
    }
    Ok(())
}

#[test]
fn an_inbox_never_forgets_before_the_log() {
    assert!(Retention::hours(24, 24).is_ok());
    let error = Retention::hours(24, 48).expect_err("too soon").to_string();
    assert!(error.contains("INBOX_RETENTION_HOURS (24)"), "{error}");
    let Retention { inbox, events } = Retention::default();
    assert!(inbox >= events);
}

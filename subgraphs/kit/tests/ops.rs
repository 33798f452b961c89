//! The operator's view tells what the store and the consumer tell.

use crate::{
    log::Rig,
    store::Store,
    support::{event, eventually, record},
};
use async_trait::async_trait;
use baedal_kit::{
    consumer::{HandleError, Handler, spawn_consumer},
    envelope::Envelope,
    ops::Ops,
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Refuses the first event of key `bad`.
struct Picky;

#[async_trait]
impl Handler for Picky {
    async fn handle(&self, batch: &[Envelope]) -> Result<(), HandleError> {
        match batch.iter().any(|event| event.correlation_id == "bad") {
            true => Err(HandleError::Poison("bad".to_owned())),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn operators_see_what_waits_what_was_read_and_what_was_given_up() {
    let store = Store::sqlite().await;
    let ops = Ops::new("some", store.outbox(), store.letters());
    store.put_to("topic", &[event("a", 1), event("a", 2)]).await;
    let before = ops.look().await.expect("the store answers");
    assert_eq!((before.service.as_str(), before.outbox_waiting), ("some", 2));
    let age = before.outbox_oldest_seconds;
    assert!(age.is_some_and(|age| age >= 0), "since the oldest event happened");
    assert_eq!((before.events_handled, before.dead_letters), (0, 0));

    let rig = Rig::embedded();
    let log = rig.process().await;
    let records = vec![record(&event("good", 1)), record(&event("bad", 1))];
    log.publish("read", records).await.expect("published");
    let stop = CancellationToken::new();
    let consumer = spawn_consumer(
        log,
        "group",
        &["read"],
        Arc::new(Picky),
        store.letters(),
        stop.clone(),
    );
    ops.watch(&consumer);
    eventually("one event is applied and one given up", || async {
        let view = ops.look().await.expect("the store answers");
        (view.events_handled, view.dead_letters) == (1, 1)
    })
    .await;
    stop.cancel();
    consumer.worker.stopped(Duration::from_secs(5)).await;
}

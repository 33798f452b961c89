//! The outbox collection: events written with the state, waiting for the relay.
//!
//! Their order is the server's: each row carries the cluster time of its transaction's write and its number within the
//! transaction. A transaction that follows another on the same aggregate has read its outcome, so its cluster time is
//! later, whatever the clocks of the replicas say.

use super::{Mongo, MongoError, MongoTx};
use crate::{
    envelope::Envelope,
    log::MAX_PAYLOAD,
    outbox::{Depth, OutboxError, OutboxRow, OutboxSource},
    telemetry::trace::sealed,
};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::{
    Collection, Database,
    bson::{Bson, DateTime, Document, doc},
    error::{ErrorKind, WriteFailure},
    options::ReturnDocument,
};
use std::time::Duration;

pub(super) const OUTBOX: &str = "outbox";
pub(super) const LEASE: &str = "outbox_lease";
const LEASE_NAME: &str = "relay";
/// Code of a broken unique key.
const DUPLICATE_KEY: i32 = 11000;

/// Puts events in the outbox, to be published after the commit in this order.
///
/// Call it after the aggregate's document was written: the order of two transactions on one aggregate is then the order
/// of their events.
pub async fn put_outbox(tx: &mut MongoTx, topic: &str, events: &[Envelope]) -> Result<(), MongoError> {
    if events.is_empty() {
        return Ok(());
    }
    let mut updates = Vec::with_capacity(events.len());
    for event in events {
        updates.push(insert(topic, event, tx.events)?);
        tx.events += 1;
    }
    let db = tx.db.clone();
    let answer = db
        .run_command(doc! { "update": OUTBOX, "updates": updates })
        .session(tx.session())
        .await?;
    refused_writes(answer)
}

/// An upsert by pipeline, the only kind of insert that can ask the server for its cluster time.
fn insert(topic: &str, event: &Envelope, number: i64) -> Result<Document, MongoError> {
    let payload = sealed(event).to_json();
    if payload.len() > MAX_PAYLOAD {
        return Err(MongoError::TooLarge(event.id));
    }
    Ok(doc! {
        "q": { "_id": event.id.to_string() },
        "u": [{ "$set": {
            "at": "$$CLUSTER_TIME",
            "n": number,
            "topic": { "$literal": topic },
            "key": { "$literal": event.key() },
            "payload": { "$literal": payload },
            "createdAt": event.time,
        } }],
        "upsert": true,
    })
}

/// A command that was run by hand reports refused writes in its answer.
fn refused_writes(answer: Document) -> Result<(), MongoError> {
    match answer.get_array("writeErrors") {
        Ok(errors) if !errors.is_empty() => Err(MongoError::Database(mongodb::error::Error::custom(
            format!("outbox: {errors:?}"),
        ))),
        _ => Ok(()),
    }
}

/// The outbox of a MongoDB store, for the relay.
#[derive(Clone, Debug)]
pub struct MongoOutbox {
    db: Database,
}

impl MongoOutbox {
    /// The outbox of this store.
    pub fn new(mongo: &Mongo) -> MongoOutbox {
        MongoOutbox { db: mongo.db.clone() }
    }

    fn rows(&self) -> Collection<Document> {
        self.db.collection(OUTBOX)
    }

    fn leases(&self) -> Collection<Document> {
        self.db.collection(LEASE)
    }

    /// Free, expired or ours: then it is taken. Held by another: it stays as it is.
    async fn take_lease(&self, owner: &str, ttl: Duration) -> Result<bool, MongoError> {
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let until = doc! { "$ifNull": ["$until", DateTime::from_millis(0)] };
        let free =
            doc! { "$or": [{ "$eq": ["$owner", { "$literal": owner }] }, { "$lt": [until, "$$NOW"] }] };
        let take = vec![doc! { "$set": {
            "owner": { "$cond": [free.clone(), { "$literal": owner }, "$owner"] },
            "until": { "$cond": [free, { "$add": ["$$NOW", ttl] }, "$until"] },
        } }];
        let lease = self
            .leases()
            .find_one_and_update(doc! { "_id": LEASE_NAME }, take)
            .upsert(true)
            .return_document(ReturnDocument::After)
            .await;
        match lease {
            Ok(lease) => {
                Ok(lease.is_some_and(|lease| lease.get_str("owner").is_ok_and(|holder| holder == owner)))
            }
            // Two made the first lease at once, and the other was faster.
            Err(error) if is_duplicate_key(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn read(&self, limit: usize) -> Result<Vec<OutboxRow>, MongoError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<Document> = self
            .rows()
            .find(doc! {})
            .sort(doc! { "at": 1, "n": 1 })
            .limit(limit)
            .await?
            .try_collect()
            .await?;
        Ok(rows.iter().map(outbox_row).collect())
    }

    async fn count(&self) -> Result<Depth, MongoError> {
        let rows = self.rows().count_documents(doc! {}).await?;
        let oldest = self
            .rows()
            .find_one(doc! {})
            .sort(doc! { "at": 1, "n": 1 })
            .await?;
        Ok(Depth {
            rows,
            oldest_ms: oldest.and_then(|row| row.get_i64("createdAt").ok()),
        })
    }
}

fn outbox_row(row: &Document) -> OutboxRow {
    let text = |name: &str| match row.get(name) {
        Some(Bson::String(text)) => text.clone(),
        _ => String::new(),
    };
    OutboxRow {
        id: text("_id"),
        topic: text("topic"),
        key: text("key"),
        payload: text("payload"),
    }
}

fn is_duplicate_key(error: &mongodb::error::Error) -> bool {
    match &*error.kind {
        ErrorKind::Command(command) => command.code == DUPLICATE_KEY,
        ErrorKind::Write(WriteFailure::WriteError(write)) => write.code == DUPLICATE_KEY,
        _ => false,
    }
}

#[async_trait]
impl OutboxSource for MongoOutbox {
    async fn lease(&self, owner: &str, ttl: Duration) -> Result<bool, OutboxError> {
        self.take_lease(owner, ttl).await.map_err(outbox_error)
    }

    async fn release(&self, owner: &str) -> Result<(), OutboxError> {
        let ours = doc! { "_id": LEASE_NAME, "owner": owner };
        self.leases()
            .delete_one(ours)
            .await
            .map(drop)
            .map_err(|error| outbox_error(error.into()))
    }

    async fn pending(&self, limit: usize) -> Result<Vec<OutboxRow>, OutboxError> {
        self.read(limit).await.map_err(outbox_error)
    }

    async fn mark_sent(&self, ids: &[String]) -> Result<(), OutboxError> {
        let sent = doc! { "_id": { "$in": ids } };
        self.rows()
            .delete_many(sent)
            .await
            .map(drop)
            .map_err(|error| outbox_error(error.into()))
    }

    async fn depth(&self) -> Result<Depth, OutboxError> {
        self.count().await.map_err(outbox_error)
    }
}

fn outbox_error(error: MongoError) -> OutboxError {
    OutboxError(error.into())
}

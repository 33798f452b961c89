//! The inbox: which events a consumer has applied, remembered in the transaction of their effects.

use super::{Mongo, MongoError, MongoTx};
use crate::{failpoint, prune::SeenEvents};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::{
    Collection, Database,
    bson::{Bson, DateTime, Document, doc},
};
use std::{collections::HashSet, time::Duration};
use uuid::Uuid;

pub(super) const INBOX: &str = "inbox";

/// Remembers the events, and says which of them `consumer` had not seen: only those may have an effect.
///
/// Two transactions that remember the same event conflict, so that one of them is tried again and then sees it: a look
/// before the insert is enough (and needed, since a duplicate key would end the transaction).
pub async fn first_times(
    tx: &mut MongoTx,
    consumer: &str,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, MongoError> {
    let mut new: HashSet<Uuid> = ids.iter().copied().collect();
    if new.is_empty() || failpoint::sabotaged("inbox") {
        return Ok(new);
    }
    let inbox = tx.db.collection::<Document>(INBOX);
    let names: Vec<String> = new.iter().map(|id| row_id(consumer, *id)).collect();
    let seen: Vec<Document> = {
        let mut cursor = inbox
            .find(doc! { "_id": { "$in": names } })
            .session(tx.session())
            .await?;
        cursor.stream(tx.session()).try_collect().await?
    };
    for row in &seen {
        let id = row
            .get_str("eventId")
            .ok()
            .and_then(|id| Uuid::parse_str(id).ok());
        id.map(|id| new.remove(&id));
    }
    if !new.is_empty() {
        let now = DateTime::now();
        let rows = new.iter().map(|id| {
            doc! { "_id": row_id(consumer, *id), "consumer": consumer, "eventId": id.to_string(), "seenAt": now }
        });
        inbox.insert_many(rows).session(tx.session()).await?;
    }
    Ok(new)
}

fn row_id(consumer: &str, id: Uuid) -> String {
    format!("{consumer}:{id}")
}

/// The inbox of a MongoDB store, as far as it can forget.
#[derive(Clone, Debug)]
pub struct MongoInbox {
    db: Database,
}

impl MongoInbox {
    /// The inbox of this store.
    pub fn new(mongo: &Mongo) -> MongoInbox {
        MongoInbox { db: mongo.db.clone() }
    }

    fn rows(&self) -> Collection<Document> {
        self.db.collection(INBOX)
    }
}

#[async_trait]
impl SeenEvents for MongoInbox {
    async fn forget(&self, age: Duration, most: usize) -> anyhow::Result<u64> {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let before = DateTime::from_millis(DateTime::now().timestamp_millis().saturating_sub(age));
        let rows = self.rows();
        let old = rows
            .find(doc! { "seenAt": { "$lt": before } })
            .sort(doc! { "seenAt": 1 })
            .limit(i64::try_from(most).unwrap_or(i64::MAX))
            .projection(doc! { "_id": 1 });
        let old: Vec<Document> = old.await?.try_collect().await?;
        let ids: Vec<&Bson> = old.iter().filter_map(|row| row.get("_id")).collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let deleted = rows.delete_many(doc! { "_id": { "$in": ids } }).await?;
        Ok(deleted.deleted_count)
    }
}

//! The inbox: which events a consumer has applied, remembered in the transaction of their effects.

use super::{MongoError, MongoTx};
use crate::failpoint;
use futures_util::TryStreamExt;
use mongodb::bson::{DateTime, Document, doc};
use std::collections::HashSet;
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

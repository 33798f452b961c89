//! The collection of dead letters.

use super::{Mongo, MongoError};
use crate::consumer::{After, DeadLetter, DeadLetters, Kept, LettersError};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::{
    Collection, Database,
    bson::{Document, doc},
};

pub(super) const LETTERS: &str = "dead_letters";

/// The dead letters of a MongoDB store.
#[derive(Clone, Debug)]
pub struct MongoLetters {
    db: Database,
}

impl MongoLetters {
    /// The dead letters of this store.
    pub fn new(mongo: &Mongo) -> MongoLetters {
        MongoLetters { db: mongo.db.clone() }
    }

    fn rows(&self) -> Collection<Document> {
        self.db.collection(LETTERS)
    }

    async fn select(&self, filter: Document, sort: Document, most: usize) -> Result<Vec<Kept>, LettersError> {
        let rows = self.rows();
        let found = rows
            .find(filter)
            .sort(sort)
            .limit(i64::try_from(most).unwrap_or(i64::MAX))
            .await
            .map_err(failed)?;
        let rows: Vec<Document> = found.try_collect().await.map_err(failed)?;
        Ok(rows.iter().map(letter).collect())
    }
}

fn row(kept: &Kept) -> Document {
    let letter = &kept.letter;
    doc! {
        "consumer": &letter.group,
        "topic": &letter.topic,
        "part": letter.partition,
        "offset": letter.offset,
        "key": &letter.key,
        "payload": &letter.payload,
        "whole": kept.whole,
        "reason": &letter.reason,
        "buriedAt": kept.buried_at,
        "attempts": kept.attempts,
    }
}

fn letter(row: &Document) -> Kept {
    let text = |name: &str| row.get_str(name).unwrap_or_default().to_owned();
    let number = |name: &str| row.get_i64(name).unwrap_or_default();
    Kept {
        id: text("_id"),
        letter: DeadLetter {
            reason: text("reason"),
            group: text("consumer"),
            topic: text("topic"),
            partition: row.get_i32("part").unwrap_or_default(),
            offset: number("offset"),
            key: text("key"),
            payload: text("payload"),
        },
        whole: row.get_bool("whole").unwrap_or_default(),
        buried_at: number("buriedAt"),
        attempts: number("attempts"),
    }
}

fn failed(error: mongodb::error::Error) -> LettersError {
    LettersError(MongoError::from(error).into())
}

#[async_trait]
impl DeadLetters for MongoLetters {
    async fn keep(&self, letter: &Kept) -> Result<(), LettersError> {
        self.rows()
            .update_one(doc! { "_id": &letter.id }, doc! { "$setOnInsert": row(letter) })
            .upsert(true)
            .await
            .map(drop)
            .map_err(failed)
    }

    async fn page(&self, after: Option<After<'_>>, most: usize) -> Result<Vec<Kept>, LettersError> {
        let filter = match after {
            None => doc! {},
            Some((at, id)) => doc! { "$or": [
                { "buriedAt": { "$gt": at } },
                { "buriedAt": at, "_id": { "$gt": id } },
            ] },
        };
        self.select(filter, doc! { "buriedAt": 1, "_id": 1 }, most).await
    }

    async fn due(&self, most: usize) -> Result<Vec<Kept>, LettersError> {
        let sort = doc! { "attempts": 1, "buriedAt": 1, "_id": 1 };
        self.select(doc! {}, sort, most).await
    }

    async fn find(&self, ids: &[String]) -> Result<Vec<Kept>, LettersError> {
        let filter = doc! { "_id": { "$in": ids } };
        self.select(filter, doc! { "buriedAt": 1, "_id": 1 }, ids.len().max(1))
            .await
    }

    async fn refused(&self, id: &str, reason: &str) -> Result<(), LettersError> {
        let tried = doc! { "$inc": { "attempts": 1_i64 }, "$set": { "reason": reason } };
        self.rows()
            .update_one(doc! { "_id": id }, tried)
            .await
            .map(drop)
            .map_err(failed)
    }

    async fn remove(&self, ids: &[String]) -> Result<u64, LettersError> {
        let removed = self.rows().delete_many(doc! { "_id": { "$in": ids } }).await;
        removed.map(|removed| removed.deleted_count).map_err(failed)
    }

    async fn count(&self) -> Result<u64, LettersError> {
        self.rows().count_documents(doc! {}).await.map_err(failed)
    }
}

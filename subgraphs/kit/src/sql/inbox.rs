//! The inbox: which events a consumer has applied, remembered in the transaction of their effects.

use super::{Db, SqlError, Tx, chunk_sizes};
use crate::{failpoint, prune::SeenEvents};
use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Row};
use std::{collections::HashSet, time::Duration};
use uuid::Uuid;

/// Rows of one statement.
const CHUNK: usize = 64;

/// Remembers the events, and says which of them `consumer` had not seen: only those may have an effect.
///
/// The rows become durable with the transaction, and are forgotten with it.
pub async fn first_times(tx: &mut Tx, consumer: &str, ids: &[Uuid]) -> Result<HashSet<Uuid>, SqlError> {
    if failpoint::sabotaged("inbox") {
        return Ok(ids.iter().copied().collect());
    }
    let mut ids = ids.to_vec();
    // One order for all transactions, so that two that overlap wait for each other instead of deadlocking.
    ids.sort_unstable();
    ids.dedup();
    let mut new = HashSet::with_capacity(ids.len());
    let mut rest = ids.as_slice();
    for size in chunk_sizes(ids.len(), CHUNK) {
        let (chunk, after) = rest.split_at(size);
        rest = after;
        new.extend(insert(tx, consumer, chunk).await?);
    }
    Ok(new)
}

async fn insert(tx: &mut Tx, consumer: &str, ids: &[Uuid]) -> Result<Vec<Uuid>, SqlError> {
    let now = tx.engine.now();
    let rows: Vec<String> = (2..2 + ids.len()).map(|n| format!("($1, ${n}, {now})")).collect();
    let text = format!(
        "INSERT INTO inbox (consumer, event_id, seen_at) VALUES {} \
         ON CONFLICT (consumer, event_id) DO NOTHING RETURNING event_id",
        rows.join(",")
    );
    let mut query = sqlx::query(AssertSqlSafe(text)).bind(consumer.to_owned());
    for id in ids {
        query = query.bind(id.to_string());
    }
    let rows = query.fetch_all(tx.conn()).await?;
    rows.iter()
        .map(|row| {
            let id: String = row.try_get(0)?;
            Uuid::parse_str(&id).map_err(|error| SqlError::Database(sqlx::Error::Decode(error.into())))
        })
        .collect()
}

/// The inbox of a SQL store, as far as it can forget.
#[derive(Clone, Debug)]
pub struct SqlInbox {
    db: Db,
}

impl SqlInbox {
    /// The inbox of this store.
    pub fn new(db: &Db) -> SqlInbox {
        SqlInbox { db: db.clone() }
    }

    async fn delete(&self, age: Duration, most: usize) -> Result<u64, SqlError> {
        let text = format!(
            "DELETE FROM inbox WHERE (consumer, event_id) IN \
             (SELECT consumer, event_id FROM inbox WHERE seen_at < {} - $1 ORDER BY seen_at LIMIT $2)",
            self.db.engine.now()
        );
        let mut tx = self.db.begin().await?;
        let deleted = sqlx::query(AssertSqlSafe(text))
            .bind(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .execute(tx.conn())
            .await?;
        tx.commit().await?;
        Ok(deleted.rows_affected())
    }
}

#[async_trait]
impl SeenEvents for SqlInbox {
    async fn forget(&self, age: Duration, most: usize) -> anyhow::Result<u64> {
        Ok(self.delete(age, most).await?)
    }
}

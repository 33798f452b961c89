//! The inbox: which events a consumer has applied, remembered in the transaction of their effects.

use super::{SqlError, Tx, chunk_sizes};
use crate::failpoint;
use sqlx::{AssertSqlSafe, Row};
use std::collections::HashSet;
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

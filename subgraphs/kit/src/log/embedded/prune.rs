//! Forgetting old records, once every group that reads them has done so.

use super::{
    LogError,
    file::{File, db_unavailable, unavailable},
};
use crate::sql::{SqlError, Tx};
use sqlx::Row;
use std::time::Duration;

/// A group that has never committed in a partition has no position there, but its members are known: it may still want
/// everything.
const DELETE: &str = "DELETE FROM records WHERE id IN ( \
    SELECT r.id FROM records r WHERE r.id <= $1 AND r.at < $2 \
    AND NOT EXISTS (SELECT 1 FROM positions p WHERE p.topic = r.topic AND p.part = r.part AND p.position < r.id) \
    AND NOT EXISTS (SELECT 1 FROM members m WHERE instr(',' || m.topics || ',', ',' || r.topic || ',') > 0 \
        AND NOT EXISTS (SELECT 1 FROM positions p WHERE p.grp = m.grp AND p.topic = r.topic AND p.part = r.part)) \
    ORDER BY r.id LIMIT $3)";

/// Deletes at most `most` records older than `age` that every group has read; says how many.
pub(super) async fn prune(file: &File, age: Duration, most: usize) -> Result<u64, LogError> {
    let cutoff = file.now_ms() - i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let Some(last) = last_before(file, cutoff).await? else {
        return Ok(0);
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let work = |mut tx: Tx| async move {
        let deleted = delete(&mut tx, last, cutoff, most).await?;
        tx.commit_with(deleted).await
    };
    file.db().transaction(work).await.map_err(unavailable)
}

async fn delete(tx: &mut Tx, last: i64, cutoff: i64, most: i64) -> Result<u64, SqlError> {
    let deleted = sqlx::query(DELETE)
        .bind(last)
        .bind(cutoff)
        .bind(most)
        .execute(tx.conn())
        .await?;
    Ok(deleted.rows_affected())
}

/// The last row written before then. Times grow with row numbers, so that it is searched for by halves, without an index
/// that every append would pay for.
async fn last_before(file: &File, cutoff: i64) -> Result<Option<i64>, LogError> {
    let ends = sqlx::query("SELECT (SELECT MIN(id) FROM records), (SELECT MAX(id) FROM records)")
        .fetch_one(file.db().pool())
        .await
        .map_err(db_unavailable)?;
    let (first, last): (Option<i64>, Option<i64>) = (
        ends.try_get(0).map_err(db_unavailable)?,
        ends.try_get(1).map_err(db_unavailable)?,
    );
    let (Some(mut low), Some(mut high)) = (first, last) else {
        return Ok(None);
    };
    if written_at(file, low).await? >= cutoff {
        return Ok(None);
    }
    while low < high {
        let middle = low + (high - low + 1) / 2;
        match written_at(file, middle).await? < cutoff {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    Ok(Some(low))
}

/// When the record of this row, or the last one before it, was written.
async fn written_at(file: &File, id: i64) -> Result<i64, LogError> {
    let row = sqlx::query("SELECT at FROM records WHERE id <= $1 ORDER BY id DESC LIMIT 1")
        .bind(id)
        .fetch_optional(file.db().pool())
        .await
        .map_err(db_unavailable)?;
    // Another process may have pruned up to here meanwhile.
    let at = row
        .map(|row| row.try_get(0))
        .transpose()
        .map_err(db_unavailable)?;
    Ok(at.unwrap_or(i64::MIN))
}

//! The table of dead letters.

use super::{Db, SqlError, chunk_sizes};
use crate::consumer::{After, DeadLetter, DeadLetters, Kept, LettersError};
use async_trait::async_trait;
use sqlx::{Any, AssertSqlSafe, Row, any::AnyRow, query::Query};

type Statement<'q> = Query<'q, Any, sqlx::any::AnyArguments>;

const COLUMNS: &str =
    "id, consumer, topic, part, record_offset, record_key, payload, is_whole, reason, buried_at, attempts";
/// Ids of one statement.
const CHUNK: usize = 64;

/// The dead letters of a SQL store.
#[derive(Clone, Debug)]
pub struct SqlLetters {
    db: Db,
}

impl SqlLetters {
    /// The dead letters of this store.
    pub fn new(db: &Db) -> SqlLetters {
        SqlLetters { db: db.clone() }
    }

    async fn insert(&self, kept: &Kept) -> Result<(), SqlError> {
        let text = format!(
            "INSERT INTO dead_letters ({COLUMNS}) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) ON CONFLICT (id) DO NOTHING"
        );
        let letter = &kept.letter;
        let query = sqlx::query(AssertSqlSafe(text))
            .bind(kept.id.clone())
            .bind(letter.group.clone())
            .bind(letter.topic.clone())
            .bind(i64::from(letter.partition))
            .bind(letter.offset)
            .bind(letter.key.clone())
            .bind(letter.payload.clone())
            .bind(i64::from(kept.whole))
            .bind(letter.reason.clone())
            .bind(kept.buried_at)
            .bind(kept.attempts);
        self.write(query).await.map(drop)
    }

    /// One statement in a transaction of its own, which on SQLite waits for its turn; how many rows it changed.
    async fn write(&self, query: Statement<'_>) -> Result<u64, SqlError> {
        let mut tx = self.db.begin().await?;
        let changed = query.execute(tx.conn()).await?.rows_affected();
        tx.commit().await?;
        Ok(changed)
    }

    async fn select(&self, query: Statement<'_>) -> Result<Vec<Kept>, SqlError> {
        let rows = query.fetch_all(&self.db.pool).await?;
        Ok(rows.iter().map(letter).collect::<Result<_, _>>()?)
    }

    async fn delete(&self, ids: &[String]) -> Result<u64, SqlError> {
        let mut removed = 0;
        let mut rest = ids;
        for size in chunk_sizes(ids.len(), CHUNK) {
            let (chunk, after) = rest.split_at(size);
            rest = after;
            let text = format!("DELETE FROM dead_letters WHERE id IN ({})", params(size));
            let query = sqlx::query(AssertSqlSafe(text));
            removed += self
                .write(chunk.iter().fold(query, |query, id| query.bind(id.clone())))
                .await?;
        }
        Ok(removed)
    }

    async fn rows(&self) -> Result<u64, SqlError> {
        let row = sqlx::query("SELECT COUNT(*) FROM dead_letters")
            .fetch_one(&self.db.pool)
            .await?;
        Ok(u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0))
    }
}

fn params(count: usize) -> String {
    let params: Vec<String> = (1..=count).map(|n| format!("${n}")).collect();
    params.join(",")
}

fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn letter(row: &AnyRow) -> Result<Kept, sqlx::Error> {
    Ok(Kept {
        id: row.try_get(0)?,
        letter: DeadLetter {
            group: row.try_get(1)?,
            topic: row.try_get(2)?,
            partition: i32::try_from(row.try_get::<i64, _>(3)?).unwrap_or(i32::MAX),
            offset: row.try_get(4)?,
            key: row.try_get(5)?,
            payload: row.try_get(6)?,
            reason: row.try_get(8)?,
        },
        whole: row.try_get::<i64, _>(7)? != 0,
        buried_at: row.try_get(9)?,
        attempts: row.try_get(10)?,
    })
}

fn failed(error: SqlError) -> LettersError {
    LettersError(error.into())
}

#[async_trait]
impl DeadLetters for SqlLetters {
    async fn keep(&self, letter: &Kept) -> Result<(), LettersError> {
        self.insert(letter).await.map_err(failed)
    }

    async fn page(&self, after: Option<After<'_>>, most: usize) -> Result<Vec<Kept>, LettersError> {
        let (at, id) = after.unwrap_or((i64::MIN, ""));
        let text = format!(
            "SELECT {COLUMNS} FROM dead_letters WHERE buried_at > $1 OR (buried_at = $1 AND id > $2) \
             ORDER BY buried_at, id LIMIT $3"
        );
        let query = sqlx::query(AssertSqlSafe(text))
            .bind(at)
            .bind(id.to_owned())
            .bind(limit(most));
        self.select(query).await.map_err(failed)
    }

    async fn due(&self, most: usize) -> Result<Vec<Kept>, LettersError> {
        let text = format!("SELECT {COLUMNS} FROM dead_letters ORDER BY attempts, buried_at, id LIMIT $1");
        let query = sqlx::query(AssertSqlSafe(text)).bind(limit(most));
        self.select(query).await.map_err(failed)
    }

    async fn find(&self, ids: &[String]) -> Result<Vec<Kept>, LettersError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let text = format!(
            "SELECT {COLUMNS} FROM dead_letters WHERE id IN ({}) ORDER BY buried_at, id",
            params(ids.len())
        );
        let query = sqlx::query(AssertSqlSafe(text));
        let query = ids.iter().fold(query, |query, id| query.bind(id.clone()));
        self.select(query).await.map_err(failed)
    }

    async fn refused(&self, id: &str, reason: &str) -> Result<(), LettersError> {
        let query = sqlx::query("UPDATE dead_letters SET attempts = attempts + 1, reason = $1 WHERE id = $2")
            .bind(reason.replace('\0', "\u{fffd}"))
            .bind(id.to_owned());
        self.write(query).await.map(drop).map_err(failed)
    }

    async fn remove(&self, ids: &[String]) -> Result<u64, LettersError> {
        self.delete(ids).await.map_err(failed)
    }

    async fn count(&self) -> Result<u64, LettersError> {
        self.rows().await.map_err(failed)
    }
}

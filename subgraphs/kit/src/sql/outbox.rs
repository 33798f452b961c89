//! The outbox table: events written with the state, waiting for the relay.

use super::{Db, SqlError, Tx, chunk_sizes, rows_of_params};
use crate::{
    envelope::Envelope,
    log::MAX_PAYLOAD,
    outbox::{Depth, OutboxError, OutboxRow, OutboxSource},
    telemetry::trace::sealed,
};
use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};
use std::time::Duration;

/// Rows of one statement.
const CHUNK: usize = 32;
const LEASE_NAME: &str = "relay";

/// Puts events in the outbox, to be published after the commit in this order.
///
/// Call it after the aggregate's row was written or locked: the order of two transactions on one aggregate is then the
/// order of their events.
pub async fn put_outbox(tx: &mut Tx, topic: &str, events: &[Envelope]) -> Result<(), SqlError> {
    let mut rest = events;
    for size in chunk_sizes(events.len(), CHUNK) {
        let (chunk, after) = rest.split_at(size);
        rest = after;
        insert(tx, topic, chunk).await?;
    }
    tx.events |= !events.is_empty();
    Ok(())
}

async fn insert(tx: &mut Tx, topic: &str, events: &[Envelope]) -> Result<(), SqlError> {
    let text = format!(
        "INSERT INTO outbox (event_id, topic, record_key, payload, created_at) VALUES {}",
        rows_of_params(events.len(), 5, 1)
    );
    let mut query = sqlx::query(AssertSqlSafe(text));
    for event in events {
        let payload = sealed(event).to_json();
        if payload.len() > MAX_PAYLOAD {
            return Err(SqlError::TooLarge(event.id));
        }
        query = query
            .bind(event.id.to_string())
            .bind(topic.to_owned())
            .bind(event.key().to_owned())
            .bind(payload)
            .bind(event.time);
    }
    query.execute(tx.conn()).await?;
    Ok(())
}

/// The outbox of a SQL store, for the relay.
#[derive(Clone, Debug)]
pub struct SqlOutbox {
    db: Db,
}

impl SqlOutbox {
    /// The outbox of this store.
    pub fn new(db: &Db) -> SqlOutbox {
        SqlOutbox { db: db.clone() }
    }

    async fn take_lease(&self, owner: &str, ttl: Duration) -> Result<bool, SqlError> {
        let now = self.db.engine.now();
        let text = format!(
            "INSERT INTO outbox_lease (name, owner, until) VALUES ($1, $2, {now} + $3) \
             ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until \
             WHERE outbox_lease.owner = excluded.owner OR outbox_lease.until < {now}"
        );
        let mut tx = self.db.begin().await?;
        let taken = sqlx::query(AssertSqlSafe(text))
            .bind(LEASE_NAME)
            .bind(owner.to_owned())
            .bind(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX))
            .execute(tx.conn())
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(taken == 1)
    }

    async fn drop_lease(&self, owner: &str) -> Result<(), SqlError> {
        let mut tx = self.db.begin().await?;
        sqlx::query("DELETE FROM outbox_lease WHERE name = $1 AND owner = $2")
            .bind(LEASE_NAME)
            .bind(owner.to_owned())
            .execute(tx.conn())
            .await?;
        tx.commit().await
    }

    async fn read(&self, limit: usize) -> Result<Vec<OutboxRow>, SqlError> {
        let rows = sqlx::query("SELECT seq, topic, record_key, payload FROM outbox ORDER BY seq LIMIT $1")
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.db.pool)
            .await?;
        Ok(rows.iter().map(outbox_row).collect::<Result<_, _>>()?)
    }

    async fn delete(&self, ids: &[String]) -> Result<(), SqlError> {
        let mut tx = self.db.begin().await?;
        let mut rest = ids;
        for size in chunk_sizes(ids.len(), 256) {
            let (chunk, after) = rest.split_at(size);
            rest = after;
            let params: Vec<String> = (1..=size).map(|n| format!("${n}")).collect();
            let text = format!("DELETE FROM outbox WHERE seq IN ({})", params.join(","));
            let mut query = sqlx::query(AssertSqlSafe(text));
            for id in chunk {
                query = query.bind(id.parse::<i64>().unwrap_or(-1));
            }
            query.execute(tx.conn()).await?;
        }
        tx.commit().await
    }

    async fn count(&self) -> Result<Depth, SqlError> {
        let row = sqlx::query("SELECT COUNT(*), CAST(MIN(created_at) AS BIGINT) FROM outbox")
            .fetch_one(&self.db.pool)
            .await?;
        let rows = row.try_get::<i64, _>(0)?;
        Ok(Depth {
            rows: u64::try_from(rows).unwrap_or(0),
            oldest_ms: row.try_get(1)?,
        })
    }
}

fn outbox_row(row: &AnyRow) -> Result<OutboxRow, sqlx::Error> {
    Ok(OutboxRow {
        id: row.try_get::<i64, _>(0)?.to_string(),
        topic: row.try_get(1)?,
        key: row.try_get(2)?,
        payload: row.try_get(3)?,
    })
}

#[async_trait]
impl OutboxSource for SqlOutbox {
    async fn lease(&self, owner: &str, ttl: Duration) -> Result<bool, OutboxError> {
        self.take_lease(owner, ttl).await.map_err(outbox_error)
    }

    async fn release(&self, owner: &str) -> Result<(), OutboxError> {
        self.drop_lease(owner).await.map_err(outbox_error)
    }

    async fn pending(&self, limit: usize) -> Result<Vec<OutboxRow>, OutboxError> {
        self.read(limit).await.map_err(outbox_error)
    }

    async fn mark_sent(&self, ids: &[String]) -> Result<(), OutboxError> {
        self.delete(ids).await.map_err(outbox_error)
    }

    async fn depth(&self) -> Result<Depth, OutboxError> {
        self.count().await.map_err(outbox_error)
    }
}

fn outbox_error(error: SqlError) -> OutboxError {
    OutboxError(error.into())
}

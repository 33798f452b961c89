//! The ports on SQLite (the statements are Postgres' too).

mod read;
mod schema;
mod views;
mod write;

use crate::domain::{Benefit, Coupon, Member};
use crate::outbound::{CONSUMER, language};
use crate::ports::{Books, BooksError, Decisions, SaveError, Tracked};
use async_trait::async_trait;
use baedal_events::MARKETING_TOPIC;
use baedal_kit::clock::Ids;
use baedal_kit::retry::Transient;
use baedal_kit::sql::{Db, SqlError, SqlOutbox, Tx, first_times, put_outbox};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use std::sync::Arc;

/// All ports, on one database.
pub struct SqlBooks {
    db: Db,
    ids: Arc<dyn Ids>,
}

impl SqlBooks {
    /// Opens the database and brings its tables up to date.
    pub async fn open(url: &str, ids: Arc<dyn Ids>) -> Result<SqlBooks, SqlError> {
        let db = Db::open(url).await?;
        db.migrate("marketing", schema::SCHEMA).await?;
        Ok(SqlBooks { db, ids })
    }

    /// The database itself, for readiness and relay.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Where events wait to be published.
    pub fn outbox(&self) -> SqlOutbox {
        SqlOutbox::new(&self.db)
    }

    /// Rows of `SELECT {columns} FROM {table} WHERE {key} IN (keys)`.
    async fn rows_of(&self, select: &str, key: &str, keys: &[String]) -> Result<Vec<AnyRow>, BooksError> {
        let mut rows = Vec::with_capacity(keys.len());
        for some in chunks(keys) {
            let sql = format!("{select} WHERE {key} IN {}", values(1, some.len()));
            let query = some.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, key| {
                query.bind(key.clone())
            });
            rows.extend(query.fetch_all(self.db.pool()).await.map_err(failed)?);
        }
        Ok(rows)
    }
}

#[async_trait]
impl Books for SqlBooks {
    async fn benefits(&self, order_ids: &[String]) -> Result<Vec<(String, Tracked<Benefit>)>, BooksError> {
        let rows = self.rows_of(read::BENEFIT, "order_id", order_ids).await?;
        rows.iter()
            .map(|row| read::benefit(row).map_err(failed))
            .collect()
    }

    async fn coupons(&self, ids: &[String]) -> Result<Vec<Tracked<Coupon>>, BooksError> {
        let rows = self.rows_of(read::COUPON, "id", ids).await?;
        rows.iter().map(|row| read::coupon(row).map_err(failed)).collect()
    }

    async fn members(&self, customer_ids: &[String]) -> Result<Vec<Tracked<Member>>, BooksError> {
        let rows = self.rows_of(read::MEMBER, "customer_id", customer_ids).await?;
        rows.iter().map(|row| read::member(row).map_err(failed)).collect()
    }

    async fn overdue(&self, now: i64, limit: usize) -> Result<Vec<Tracked<Coupon>>, BooksError> {
        let sql = format!(
            "{} WHERE status = 'ISSUED' AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2",
            read::COUPON
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(now).bind(limit as i64);
        let rows = query.fetch_all(self.db.pool()).await.map_err(failed)?;
        rows.iter().map(|row| read::coupon(row).map_err(failed)).collect()
    }

    async fn save(&self, decisions: Decisions) -> Result<(), SaveError> {
        let envelopes = language::envelopes(&decisions, self.ids.as_ref());
        let (decisions, envelopes) = (&decisions, &envelopes);
        self.db
            .transaction(|mut tx: Tx| async move {
                note_handled(&mut tx, decisions).await?;
                write::benefits(&mut tx, &decisions.benefits).await?;
                write::coupons(&mut tx, &decisions.coupons).await?;
                write::members(&mut tx, &decisions.members, decisions.now).await?;
                write::entries(&mut tx, &decisions.entries).await?;
                write::feed(&mut tx, &decisions.feed).await?;
                put_outbox(&mut tx, MARKETING_TOPIC, envelopes).await?;
                Ok::<_, TxError>(tx.commit_with(()).await?)
            })
            .await
            .map_err(SaveError::from)
    }
}

async fn note_handled(tx: &mut Tx, decisions: &Decisions) -> Result<(), TxError> {
    if decisions.handled.is_empty() {
        return Ok(());
    }
    let fresh = first_times(tx, CONSUMER, &decisions.handled).await?;
    if fresh.len() == decisions.handled.len() {
        Ok(())
    } else {
        Err(TxError::Refused(SaveError::Seen { fresh }))
    }
}

fn failed(error: sqlx::Error) -> BooksError {
    BooksError(SqlError::from(error).into())
}

/// What ends a transaction: the database, or a finding that asks for a new decision.
#[derive(Debug)]
enum TxError {
    Sql(SqlError),
    Refused(SaveError),
}

impl From<SqlError> for TxError {
    fn from(error: SqlError) -> Self {
        TxError::Sql(error)
    }
}

impl From<sqlx::Error> for TxError {
    fn from(error: sqlx::Error) -> Self {
        TxError::Sql(SqlError::from(error))
    }
}

impl Transient for TxError {
    fn is_transient(&self) -> bool {
        matches!(self, TxError::Sql(error) if error.is_transient())
    }
}

impl From<TxError> for SaveError {
    fn from(error: TxError) -> Self {
        match error {
            TxError::Sql(error) => SaveError::Books(BooksError(error.into())),
            TxError::Refused(error) => error,
        }
    }
}

/// `($1, $2), ($3, $4)` for that many rows and columns.
fn values(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let cells: Vec<String> = (1..=columns)
            .map(|column| format!("${}", row * columns + column))
            .collect();
        format!("({})", cells.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Splits rows into few sizes, so that the database sees few different statements and can keep them prepared.
fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = [128, 32, 8, 2, 1].into_iter().find(|size| *size <= rest.len())?;
        let (chunk, after) = rest.split_at(size);
        rest = after;
        Some(chunk)
    })
}

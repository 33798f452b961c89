//! The ports on Postgres and on SQLite: one text of SQL for both.

mod board;
mod rows;
mod stores;
mod tickets;

use crate::ports::{SaveError, StoreError};
use baedal_kit::clock::{Clock, Ids};
use baedal_kit::retry::Transient;
use baedal_kit::sql::{Db, SqlError, SqlOutbox};
use std::sync::Arc;

/// Name of this service's inbox.
const CONSUMER: &str = "store";

const SCHEMA: &[&str] = &[
    "CREATE TABLE stores (id TEXT PRIMARY KEY, owner_id TEXT NOT NULL, name TEXT NOT NULL, open BIGINT NOT NULL,
        menu TEXT NOT NULL, version BIGINT NOT NULL);
     CREATE TABLE tickets (order_id TEXT PRIMARY KEY, store_id TEXT NOT NULL, status TEXT NOT NULL,
        received_at BIGINT NOT NULL, moved_at BIGINT NOT NULL, advancing BIGINT NOT NULL,
        version BIGINT NOT NULL, decided_on BIGINT NOT NULL, body TEXT NOT NULL);
     CREATE INDEX tickets_on_board ON tickets (store_id, received_at, order_id);
     CREATE INDEX tickets_by_status ON tickets (store_id, status, received_at, order_id);
     CREATE INDEX tickets_advancing ON tickets (advancing, moved_at);
     CREATE TABLE sales (store_id TEXT PRIMARY KEY, orders BIGINT NOT NULL, revenue BIGINT NOT NULL);
     CREATE TABLE dish_sales (store_id TEXT NOT NULL, menu_item_id TEXT NOT NULL, name TEXT NOT NULL,
        quantity BIGINT NOT NULL, revenue BIGINT NOT NULL, PRIMARY KEY (store_id, menu_item_id));
     CREATE TABLE leaders (task TEXT PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL)",
    // What waits for its other half, or was called off before it came, is no ticket: whoever reads the tickets of this
    // database (an audit, a report) must not take it for one.
    "ALTER TABLE tickets RENAME TO store_orders;
     CREATE VIEW tickets AS SELECT order_id, store_id, status, received_at, moved_at, version FROM store_orders
        WHERE received_at > 0",
];

/// All ports, on one database.
pub struct SqlStore {
    db: Db,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl SqlStore {
    /// Opens the database and brings its tables up to date.
    pub async fn open(url: &str, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Result<SqlStore, SqlError> {
        let db = Db::open(url).await?;
        db.migrate("store", SCHEMA).await?;
        Ok(SqlStore { db, clock, ids })
    }

    /// The database itself, for readiness and relay.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Where events wait to be published.
    pub fn outbox(&self) -> SqlOutbox {
        SqlOutbox::new(&self.db)
    }
}

impl From<SqlError> for StoreError {
    fn from(error: SqlError) -> Self {
        StoreError::Unavailable(error.into())
    }
}

fn failed(error: sqlx::Error) -> StoreError {
    SqlError::from(error).into()
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
            TxError::Sql(error) => SaveError::Store(error.into()),
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

/// Splits rows into few sizes, so that the databases see few different statements and can keep them prepared.
fn chunks<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = [128, 32, 8, 2, 1].into_iter().find(|size| *size <= rest.len())?;
        let (chunk, after) = rest.split_at(size);
        rest = after;
        Some(chunk)
    })
}

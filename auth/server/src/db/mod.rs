//! The tables, on SQLite or Postgres with the same SQL: `$1` places, BIGINT and TEXT only.
//!
//! Everything that must happen once is one `UPDATE … WHERE … IS NULL` or `INSERT … ON CONFLICT DO NOTHING`, whose row
//! count says who was first; a transaction begins with such a write. So several replicas on one database need no lock.

mod attempts;
mod clients;
mod codes;
mod consents;
mod denied;
mod grants;
mod keys;
mod open;
mod refresh;
mod schema;
mod sessions;
mod sweep;
mod users;

use std::sync::Arc;

use sqlx::{Any, AnyPool, Transaction};

pub use open::OpenError;

/// A database operation that failed. The text is for the log.
#[derive(Debug, Clone, thiserror::Error)]
#[error("database: {0}")]
pub struct DbError(Arc<str>);

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> DbError {
        DbError(error.to_string().into())
    }
}

impl DbError {
    /// A row that this server cannot have written.
    pub(crate) fn corrupt(what: &str) -> DbError {
        DbError(format!("unreadable row: {what}").into())
    }
}

/// Which database is behind the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// One file.
    Sqlite,
    /// A server.
    Postgres,
}

/// The open database. A clone shares the connections.
#[derive(Clone)]
pub struct Db {
    pool: AnyPool,
    engine: Engine,
}

impl Db {
    /// Opens the database and makes its tables.
    pub async fn open(url: &str) -> Result<Db, OpenError> {
        open::open(url).await
    }

    /// Which engine it runs on.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Gives the connections back.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn begin(&self) -> Result<Transaction<'static, Any>, DbError> {
        Ok(self.pool.begin().await?)
    }
}

impl Db {
    /// The number of demo accounts and clients.
    pub async fn demo_rows(&self) -> Result<i64, DbError> {
        let sql = "SELECT (SELECT COUNT(*) FROM users WHERE demo = 1) + (SELECT COUNT(*) FROM clients WHERE demo = 1)";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.pool).await?)
    }
}

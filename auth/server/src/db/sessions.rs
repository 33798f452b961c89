//! Logins in browsers, by the hash of the cookie.

use sqlx::Row;

use super::{Db, DbError};
use crate::domain::Session;

impl Db {
    /// Keeps a new login.
    pub async fn add_session(&self, hash: &str, session: &Session, expires_at: i64) -> Result<(), DbError> {
        let sql = "INSERT INTO sessions (hash, sub, auth_time, expires_at) VALUES ($1, $2, $3, $4)";
        let query = sqlx::query(sql)
            .bind(hash)
            .bind(&session.sub)
            .bind(session.auth_time)
            .bind(expires_at);
        query.execute(&self.pool).await?;
        Ok(())
    }

    /// The login of a cookie that has not expired.
    pub async fn session(&self, hash: &str, now: i64) -> Result<Option<Session>, DbError> {
        let sql = "SELECT sub, auth_time FROM sessions WHERE hash = $1 AND expires_at > $2";
        let Some(row) = sqlx::query(sql)
            .bind(hash)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?
        else {
            return Ok(None);
        };
        Ok(Some(Session {
            sub: row.try_get("sub")?,
            auth_time: row.try_get("auth_time")?,
        }))
    }

    /// Ends a login.
    pub async fn end_session(&self, hash: &str) -> Result<(), DbError> {
        sqlx::query("DELETE FROM sessions WHERE hash = $1")
            .bind(hash)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

//! Authorization codes. A used code is kept, so that its second use is known for what it is.

use sqlx::Row;

use super::{Db, DbError, grants};
use crate::domain::{Challenge, Code, Grant};

impl Db {
    /// Keeps a new grant and the code that opens it.
    pub async fn add_code(&self, grant: &Grant, code: &Code) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        grants::insert(&mut tx, grant).await?;
        let sql = "INSERT INTO codes (hash, grant_id, redirect_uri, challenge, nonce, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        let query = sqlx::query(sql)
            .bind(&code.hash)
            .bind(&code.grant_id)
            .bind(&code.redirect_uri);
        let query = query
            .bind(code.challenge.as_str())
            .bind(code.nonce.clone())
            .bind(code.expires_at);
        query.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The code of a hash, used or not.
    pub async fn code(&self, hash: &str) -> Result<Option<Code>, DbError> {
        let query = sqlx::query("SELECT * FROM codes WHERE hash = $1").bind(hash);
        let Some(row) = query.fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        Ok(Some(Code {
            hash: row.try_get("hash")?,
            grant_id: row.try_get("grant_id")?,
            redirect_uri: row.try_get("redirect_uri")?,
            challenge: Challenge::stored(row.try_get("challenge")?),
            nonce: row.try_get("nonce")?,
            expires_at: row.try_get("expires_at")?,
        }))
    }

    /// Uses a code; `true` for the first caller only, however many there are.
    pub async fn use_code(&self, hash: &str, now: i64) -> Result<bool, DbError> {
        let sql = "UPDATE codes SET used_at = $1 WHERE hash = $2 AND used_at IS NULL";
        Ok(sqlx::query(sql)
            .bind(now)
            .bind(hash)
            .execute(&self.pool)
            .await?
            .rows_affected()
            == 1)
    }
}

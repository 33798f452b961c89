//! Refresh tokens. A used one is kept, so that its second use is known for what it is.

use sqlx::{Any, Row, Transaction};

use super::{Db, DbError};
use crate::domain::RefreshToken;

impl Db {
    /// Keeps the first refresh token of a grant.
    pub async fn add_refresh(&self, token: &RefreshToken) -> Result<(), DbError> {
        let mut tx = self.begin().await?;
        insert(&mut tx, token).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The refresh token of a hash, used or not.
    pub async fn refresh(&self, hash: &str) -> Result<Option<RefreshToken>, DbError> {
        let query = sqlx::query("SELECT * FROM refresh_tokens WHERE hash = $1").bind(hash);
        let Some(row) = query.fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        Ok(Some(RefreshToken {
            hash: row.try_get("hash")?,
            grant_id: row.try_get("grant_id")?,
            expires_at: row.try_get("expires_at")?,
            used: row.try_get::<Option<i64>, _>("used_at")?.is_some(),
        }))
    }

    /// Uses a token and keeps its successor, both or none; `true` for the first caller only.
    pub async fn rotate(&self, hash: &str, successor: &RefreshToken, now: i64) -> Result<bool, DbError> {
        let mut tx = self.begin().await?;
        let sql = "UPDATE refresh_tokens SET used_at = $1 WHERE hash = $2 AND used_at IS NULL";
        let first = sqlx::query(sql)
            .bind(now)
            .bind(hash)
            .execute(&mut *tx)
            .await?
            .rows_affected()
            == 1;
        if first {
            insert(&mut tx, successor).await?;
        }
        tx.commit().await?;
        Ok(first)
    }
}

async fn insert(tx: &mut Transaction<'static, Any>, token: &RefreshToken) -> Result<(), DbError> {
    let sql = "INSERT INTO refresh_tokens (hash, grant_id, expires_at) VALUES ($1, $2, $3)";
    let query = sqlx::query(sql)
        .bind(&token.hash)
        .bind(&token.grant_id)
        .bind(token.expires_at);
    query.execute(&mut **tx).await?;
    Ok(())
}

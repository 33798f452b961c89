//! Access tokens withdrawn before their end, by `jti`.

use super::{Db, DbError};

impl Db {
    /// Withdraws one access token until it would expire anyway.
    pub async fn deny(&self, jti: &str, expires_at: i64) -> Result<(), DbError> {
        let sql = "INSERT INTO denied_tokens (jti, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        sqlx::query(sql)
            .bind(jti)
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Whether an access token was withdrawn, itself or with its grant.
    pub async fn is_denied(&self, jti: &str, sid: Option<&str>) -> Result<bool, DbError> {
        let sql = "SELECT (SELECT COUNT(*) FROM denied_tokens WHERE jti = $1) \
                   + (SELECT COUNT(*) FROM grants WHERE id = $2 AND revoked_at IS NOT NULL)";
        let count: i64 = sqlx::query_scalar(sql)
            .bind(jti)
            .bind(sid.unwrap_or(""))
            .fetch_one(&self.pool)
            .await?;
        Ok(count > 0)
    }
}

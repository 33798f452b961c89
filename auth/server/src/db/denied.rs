//! Access tokens withdrawn before their end, by `jti`, or with their grant by `sid`.

use sqlx::Row;

use super::{Db, DbError};

/// Seconds that clocks of those who check tokens may be behind: for so long what has expired may still be taken.
pub(super) const SLACK: i64 = 60;

/// What was withdrawn and would be taken otherwise, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// Access tokens.
    pub jti: Vec<String>,
    /// Grants: all their access tokens are.
    pub sid: Vec<String>,
}

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

    /// All that was withdrawn, but for what has expired: access tokens live for `lifetime` at most.
    pub async fn withdrawn(&self, now: i64, lifetime: i64) -> Result<Withdrawn, DbError> {
        let jti = "SELECT jti AS id FROM denied_tokens WHERE expires_at > $1 ORDER BY jti";
        let sid = "SELECT id FROM grants WHERE revoked_at > $1 ORDER BY id";
        Ok(Withdrawn {
            jti: self.ids(jti, now - SLACK).await?,
            sid: self.ids(sid, now - lifetime - SLACK).await?,
        })
    }

    async fn ids(&self, sql: &'static str, after: i64) -> Result<Vec<String>, DbError> {
        let rows = sqlx::query(sql).bind(after).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
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

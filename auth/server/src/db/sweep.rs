//! Rows that can no longer change any answer.

use super::{Db, DbError};
use crate::domain::WINDOW;

/// Used codes are kept so long for their second use to be noticed.
const CODE_MEMORY: i64 = 86_400;

impl Db {
    /// Deletes what has expired. A grant outlives its tokens by a day, so that a late reuse still finds it.
    pub async fn sweep(&self, now: i64) -> Result<(), DbError> {
        let rules = [
            ("DELETE FROM sessions WHERE expires_at <= $1", now),
            (
                "DELETE FROM denied_tokens WHERE expires_at <= $1",
                now - super::denied::SLACK,
            ),
            ("DELETE FROM login_attempts WHERE tried_at <= $1", now - WINDOW),
            ("DELETE FROM codes WHERE expires_at <= $1", now - CODE_MEMORY),
            (
                "DELETE FROM refresh_tokens WHERE expires_at <= $1",
                now - CODE_MEMORY,
            ),
            ("DELETE FROM grants WHERE expires_at <= $1", now - CODE_MEMORY),
        ];
        for (sql, before) in rules {
            sqlx::query(sql).bind(before).execute(&self.pool).await?;
        }
        Ok(())
    }
}

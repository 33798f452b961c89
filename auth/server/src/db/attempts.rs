//! Login attempts. One is written down before the password is looked at and taken back when it was right, so that many
//! at once cannot all slip under the limit.

use sqlx::Row;

use super::{Db, DbError};
use crate::domain::{Attempts, WINDOW};

impl Db {
    /// Writes an attempt down and says what the window holds now.
    pub async fn begin_attempt(
        &self,
        id: &str,
        account: &str,
        address: &str,
        now: i64,
    ) -> Result<Attempts, DbError> {
        let sql = "INSERT INTO login_attempts (id, account, address, tried_at) VALUES ($1, $2, $3, $4)";
        sqlx::query(sql)
            .bind(id)
            .bind(account)
            .bind(address)
            .bind(now)
            .execute(&self.pool)
            .await?;
        let sql = "SELECT \
             (SELECT COUNT(*) FROM login_attempts WHERE account = $1 AND tried_at > $3) AS on_account, \
             (SELECT COUNT(DISTINCT account) FROM login_attempts WHERE address = $2 AND tried_at > $3) AS accounts, \
             (SELECT MIN(tried_at) FROM login_attempts WHERE (account = $1 OR address = $2) AND tried_at > $3) AS oldest";
        let row = sqlx::query(sql)
            .bind(account)
            .bind(address)
            .bind(now - WINDOW)
            .fetch_one(&self.pool)
            .await?;
        Ok(Attempts {
            on_account: row.try_get("on_account")?,
            accounts_from_address: row.try_get("accounts")?,
            oldest: row.try_get::<Option<i64>, _>("oldest")?.unwrap_or(now),
        })
    }

    /// Takes one attempt back: it was refused without looking at the password.
    pub async fn forget_attempt(&self, id: &str) -> Result<(), DbError> {
        sqlx::query("DELETE FROM login_attempts WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Forgets an account's failures: its owner has logged in.
    pub async fn forget_failures(&self, account: &str) -> Result<(), DbError> {
        sqlx::query("DELETE FROM login_attempts WHERE account = $1")
            .bind(account)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

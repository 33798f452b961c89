//! What users have agreed to before.

use baedal_token::Scopes;

use super::{Db, DbError};

impl Db {
    /// The scopes a user has agreed to give a client.
    pub async fn consent(&self, sub: &str, client_id: &str) -> Result<Scopes, DbError> {
        let sql = "SELECT scopes FROM consents WHERE sub = $1 AND client_id = $2";
        let scopes: Option<String> = sqlx::query_scalar(sql)
            .bind(sub)
            .bind(client_id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(Scopes::parse(scopes.as_deref().unwrap_or("")))
    }

    /// Remembers what a user agrees to now, in place of what was before.
    pub async fn remember_consent(
        &self,
        sub: &str,
        client_id: &str,
        scopes: &Scopes,
        now: i64,
    ) -> Result<(), DbError> {
        let sql = "INSERT INTO consents (sub, client_id, scopes, given_at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (sub, client_id) DO UPDATE SET scopes = excluded.scopes, given_at = excluded.given_at";
        let query = sqlx::query(sql)
            .bind(sub)
            .bind(client_id)
            .bind(scopes.to_string())
            .bind(now);
        query.execute(&self.pool).await?;
        Ok(())
    }
}

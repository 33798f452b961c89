//! Signing keys. Replicas that start on an empty database agree on one: the generation is unique.

use sqlx::Row;

use super::{Db, DbError};
use crate::domain::StoredKey;

impl Db {
    /// Adds a key unless its generation exists; `false` if another replica was first.
    pub async fn add_key(&self, key: &StoredKey) -> Result<bool, DbError> {
        let sql = "INSERT INTO signing_keys (generation, pem, active_from) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let query = sqlx::query(sql)
            .bind(key.generation)
            .bind(&key.pem)
            .bind(key.active_from);
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Every key.
    pub async fn keys(&self) -> Result<Vec<StoredKey>, DbError> {
        let rows = sqlx::query("SELECT * FROM signing_keys ORDER BY generation")
            .fetch_all(&self.pool)
            .await?;
        let read = |row: &sqlx::any::AnyRow| -> Result<StoredKey, DbError> {
            Ok(StoredKey {
                generation: row.try_get("generation")?,
                pem: row.try_get("pem")?,
                active_from: row.try_get("active_from")?,
            })
        };
        rows.iter().map(read).collect()
    }
}

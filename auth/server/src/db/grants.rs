//! Grants: the families of tokens.

use baedal_token::Scopes;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::{Db, DbError};
use crate::domain::Grant;

impl Db {
    /// The grant of an id.
    pub async fn grant(&self, id: &str) -> Result<Option<Grant>, DbError> {
        let query = sqlx::query("SELECT * FROM grants WHERE id = $1").bind(id);
        query
            .fetch_optional(&self.pool)
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// Withdraws a grant: every token of the family is dead from now on.
    pub async fn revoke_grant(&self, id: &str, now: i64) -> Result<(), DbError> {
        let sql = "UPDATE grants SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
        sqlx::query(sql).bind(now).bind(id).execute(&self.pool).await?;
        Ok(())
    }
}

pub(super) async fn insert(tx: &mut Transaction<'static, Any>, grant: &Grant) -> Result<(), DbError> {
    let sql = "INSERT INTO grants (id, client_id, sub, scopes, resource, auth_time, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let query = sqlx::query(sql)
        .bind(&grant.id)
        .bind(&grant.client_id)
        .bind(&grant.sub);
    let query = query
        .bind(grant.scope.to_string())
        .bind(grant.resource.clone())
        .bind(grant.auth_time);
    query.bind(grant.expires_at).execute(&mut **tx).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Grant, DbError> {
    let scopes: String = row.try_get("scopes")?;
    Ok(Grant {
        id: row.try_get("id")?,
        client_id: row.try_get("client_id")?,
        sub: row.try_get("sub")?,
        scope: Scopes::parse(&scopes),
        resource: row.try_get("resource")?,
        auth_time: row.try_get("auth_time")?,
        expires_at: row.try_get("expires_at")?,
        revoked: row.try_get::<Option<i64>, _>("revoked_at")?.is_some(),
    })
}

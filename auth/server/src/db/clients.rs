//! OAuth clients. Lists are stored as words separated by spaces, which no URI and no name of a grant contains.

use std::collections::BTreeSet;

use baedal_token::Scopes;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Db, DbError};
use crate::domain::{Client, GrantType};

impl Db {
    /// Adds a client; `false` if the id is taken.
    pub async fn add_client(&self, client: &Client, now: i64) -> Result<bool, DbError> {
        let sql = "INSERT INTO clients (id, name, secret_hash, redirect_uris, grants, scopes, demo, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
        let grants: Vec<&str> = client.grants.iter().map(|grant| grant.as_str()).collect();
        let query = sqlx::query(sql)
            .bind(&client.id)
            .bind(&client.name)
            .bind(client.secret_hash.clone());
        let query = query
            .bind(client.redirect_uris.join(" "))
            .bind(grants.join(" "))
            .bind(client.scopes.to_string());
        let done = query
            .bind(i64::from(client.demo))
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The client of an id.
    pub async fn client(&self, id: &str) -> Result<Option<Client>, DbError> {
        let query = sqlx::query("SELECT * FROM clients WHERE id = $1").bind(id);
        query
            .fetch_optional(&self.pool)
            .await?
            .map(|row| read(&row))
            .transpose()
    }
}

fn read(row: &AnyRow) -> Result<Client, DbError> {
    let words = |column| -> Result<Vec<String>, DbError> {
        let text: String = row.try_get(column)?;
        Ok(text
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect())
    };
    let grants: Result<BTreeSet<GrantType>, String> =
        words("grants")?.iter().map(|word| word.parse()).collect();
    Ok(Client {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        secret_hash: row.try_get("secret_hash")?,
        redirect_uris: words("redirect_uris")?,
        grants: grants.map_err(|_| DbError::corrupt("clients.grants"))?,
        scopes: words("scopes")?.into_iter().collect::<Scopes>(),
        demo: row.try_get::<i64, _>("demo")? != 0,
    })
}

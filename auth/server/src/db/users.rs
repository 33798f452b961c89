//! Accounts.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Db, DbError};
use crate::domain::User;

impl Db {
    /// Adds an account; `false` if the login or the subject is taken.
    pub async fn add_user(&self, user: &User, now: i64) -> Result<bool, DbError> {
        let sql = "INSERT INTO users (sub, login, name, password, role, demo, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        let query = sqlx::query(sql)
            .bind(&user.sub)
            .bind(&user.login)
            .bind(&user.name)
            .bind(&user.password);
        let query = query
            .bind(user.role.as_str())
            .bind(i64::from(user.demo))
            .bind(now);
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// The account behind a login, given in lower case.
    pub async fn user_by_login(&self, login: &str) -> Result<Option<User>, DbError> {
        let query = sqlx::query("SELECT * FROM users WHERE login = $1").bind(login);
        query
            .fetch_optional(&self.pool)
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// The account of a subject.
    pub async fn user_by_sub(&self, sub: &str) -> Result<Option<User>, DbError> {
        let query = sqlx::query("SELECT * FROM users WHERE sub = $1").bind(sub);
        query
            .fetch_optional(&self.pool)
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// Replaces a password hash that is still the one given: a rehash never undoes a change of password.
    pub async fn rehash(&self, sub: &str, old: &str, new: &str) -> Result<(), DbError> {
        let sql = "UPDATE users SET password = $1 WHERE sub = $2 AND password = $3";
        sqlx::query(sql)
            .bind(new)
            .bind(sub)
            .bind(old)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<User, DbError> {
    let role: String = row.try_get("role")?;
    Ok(User {
        sub: row.try_get("sub")?,
        login: row.try_get("login")?,
        name: row.try_get("name")?,
        password: row.try_get("password")?,
        role: role.parse().map_err(|_| DbError::corrupt("users.role"))?,
        demo: row.try_get::<i64, _>("demo")? != 0,
    })
}

//! The tables. Added columns and tables come as further statements: every start runs them all.

use super::{Db, DbError, Engine};

const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS users (
        sub TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password TEXT NOT NULL,
        role TEXT NOT NULL, demo BIGINT NOT NULL, created_at BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS clients (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, secret_hash TEXT, redirect_uris TEXT NOT NULL,
        grants TEXT NOT NULL, scopes TEXT NOT NULL, demo BIGINT NOT NULL, created_at BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS signing_keys (
        generation BIGINT PRIMARY KEY, pem TEXT NOT NULL, active_from BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS sessions (
        hash TEXT PRIMARY KEY, sub TEXT NOT NULL, auth_time BIGINT NOT NULL, expires_at BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS consents (
        sub TEXT NOT NULL, client_id TEXT NOT NULL, scopes TEXT NOT NULL, given_at BIGINT NOT NULL,
        PRIMARY KEY (sub, client_id))",
    "CREATE TABLE IF NOT EXISTS grants (
        id TEXT PRIMARY KEY, client_id TEXT NOT NULL, sub TEXT NOT NULL, scopes TEXT NOT NULL, resource TEXT,
        auth_time BIGINT NOT NULL, expires_at BIGINT NOT NULL, revoked_at BIGINT)",
    "CREATE TABLE IF NOT EXISTS codes (
        hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL, redirect_uri TEXT NOT NULL, challenge TEXT NOT NULL,
        nonce TEXT, expires_at BIGINT NOT NULL, used_at BIGINT)",
    "CREATE TABLE IF NOT EXISTS refresh_tokens (
        hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT)",
    "CREATE TABLE IF NOT EXISTS denied_tokens (jti TEXT PRIMARY KEY, expires_at BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS login_attempts (
        id TEXT PRIMARY KEY, account TEXT NOT NULL, address TEXT NOT NULL, tried_at BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS grants_revoked ON grants (revoked_at)",
    "CREATE INDEX IF NOT EXISTS login_attempts_account ON login_attempts (account, tried_at)",
    "CREATE INDEX IF NOT EXISTS login_attempts_address ON login_attempts (address, tried_at)",
];

/// "auth", as a number, for the lock below.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1635087464)::text";

pub(super) async fn create(db: &Db) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    if db.engine == Engine::Postgres {
        // Two replicas creating one table at once would collide in Postgres's catalogue.
        sqlx::query(LOCK).execute(&mut *tx).await?;
    }
    for table in TABLES {
        sqlx::query(*table).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

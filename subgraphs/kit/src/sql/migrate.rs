//! Tables, made step by step and each step once, also when several replicas start together.

use super::{Db, Engine, SqlError, Tx};
use sqlx::{AssertSqlSafe, Row};

/// Any number, the same in every replica: who holds it migrates.
const POSTGRES_LOCK: &str = "SELECT CAST(pg_advisory_xact_lock(6215307) AS TEXT)";

const KIT: &[&str] = &[
    "
    CREATE TABLE outbox (
        seq {serial},
        event_id TEXT NOT NULL,
        topic TEXT NOT NULL,
        record_key TEXT NOT NULL,
        payload TEXT NOT NULL,
        created_at BIGINT NOT NULL
    );
    CREATE TABLE outbox_lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until BIGINT NOT NULL);
    CREATE TABLE inbox (
        consumer TEXT NOT NULL,
        event_id TEXT NOT NULL,
        seen_at BIGINT NOT NULL,
        PRIMARY KEY (consumer, event_id)
    );
",
    "
    CREATE TABLE dead_letters (
        id TEXT PRIMARY KEY,
        consumer TEXT NOT NULL,
        topic TEXT NOT NULL,
        part BIGINT NOT NULL,
        record_offset BIGINT NOT NULL,
        record_key TEXT NOT NULL,
        payload TEXT NOT NULL,
        is_whole BIGINT NOT NULL,
        reason TEXT NOT NULL,
        buried_at BIGINT NOT NULL,
        attempts BIGINT NOT NULL
    );
    CREATE INDEX inbox_by_age ON inbox (seen_at);
",
];

impl Db {
    /// Brings the tables of `scope` up to date: each step runs once, in order, all in one transaction.
    ///
    /// `{serial}` in a step stands for the type of a growing primary key. The kit's own tables come along.
    pub async fn migrate(&self, scope: &str, steps: &[&str]) -> Result<(), SqlError> {
        let mut tx = self.begin().await?;
        if self.engine == Engine::Postgres {
            sqlx::query(POSTGRES_LOCK).execute(tx.conn()).await?;
        }
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS schema_version (scope TEXT PRIMARY KEY, version BIGINT NOT NULL)",
        )
        .execute(tx.conn())
        .await?;
        apply(&mut tx, "kit", KIT).await?;
        apply(&mut tx, scope, steps).await?;
        tx.commit().await
    }
}

async fn apply(tx: &mut Tx, scope: &str, steps: &[&str]) -> Result<(), SqlError> {
    let done = sqlx::query("SELECT version FROM schema_version WHERE scope = $1")
        .bind(scope)
        .fetch_optional(tx.conn())
        .await?
        .map_or(Ok(0), |row| row.try_get::<i64, _>(0))?;
    let done = usize::try_from(done).unwrap_or(0);
    if done >= steps.len() {
        return Ok(());
    }
    for step in &steps[done..] {
        let text = step.replace("{serial}", serial(tx.engine));
        sqlx::raw_sql(AssertSqlSafe(text)).execute(tx.conn()).await?;
    }
    sqlx::query(
        "INSERT INTO schema_version (scope, version) VALUES ($1, $2) \
         ON CONFLICT (scope) DO UPDATE SET version = excluded.version",
    )
    .bind(scope)
    .bind(i64::try_from(steps.len()).expect("a handful of steps"))
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn serial(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
        Engine::Postgres => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    }
}

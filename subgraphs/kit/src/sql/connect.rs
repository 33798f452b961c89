//! Opening a store.

use super::SqlError;
use sqlx::{
    AnyConnection, AnyPool, Connection, Executor,
    any::{AnyPoolOptions, install_default_drivers},
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::{Notify, Semaphore};

/// Connections to Postgres: above what one replica's commands need at a time, far below the server's 100.
const POSTGRES_CONNECTIONS: u32 = 16;
/// Of these, kept open also while nothing is asked: a replica that has just started, or was idle, does not make them one
/// after the other while requests wait for them.
const POSTGRES_READY: u32 = 4;
/// Connections to a SQLite file: one writes, the others read.
const SQLITE_CONNECTIONS: u32 = 5;
/// How long a caller waits for a connection before the store counts as unavailable.
const ACQUIRE: Duration = Duration::from_secs(5);

const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY";

/// Which database stands behind a [`Db`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// An expression for the database's clock, in milliseconds since 1970.
    pub(crate) fn now(self) -> &'static str {
        match self {
            Engine::Sqlite => "CAST((julianday('now') - 2440587.5) * 86400000 AS BIGINT)",
            Engine::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        }
    }
}

/// A store. Clones share the pool.
#[derive(Clone, Debug)]
pub struct Db {
    pub(super) pool: AnyPool,
    pub(super) engine: Engine,
    /// The turn to write, on SQLite.
    pub(super) writer: Arc<Semaphore>,
    pub(super) outbox: Arc<Notify>,
}

impl Db {
    /// Opens `sqlite://PATH?mode=rwc` (folder and file are made if absent) or `postgres://…`.
    ///
    /// A SQLite path is taken as it is written, relative to the working directory if it has no leading slash.
    pub async fn open(url: &str) -> Result<Db, SqlError> {
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            let (path, options) = rest.split_once('?').unwrap_or((rest, "mode=rwc"));
            return Db::open_sqlite(path, options).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Db::new(Engine::Postgres, open_postgres(url).await?));
        }
        Err(SqlError::Open(format!(
            "database URL {:?} is not understood: use sqlite://PATH?mode=rwc or postgres://USER@HOST/DATABASE",
            hide_password(url)
        )))
    }

    /// Opens a SQLite file whose path may hold any character; it and its folder are made if absent.
    pub async fn open_file(path: &str) -> Result<Db, SqlError> {
        Db::open_sqlite(path, "mode=rwc").await
    }

    async fn open_sqlite(path: &str, options: &str) -> Result<Db, SqlError> {
        if path.is_empty() || path.contains(":memory:") {
            return Err(SqlError::Open(format!(
                "SQLite path {path:?} is no file: use sqlite://PATH?mode=rwc"
            )));
        }
        Ok(Db::new(Engine::Sqlite, open_sqlite(path, options).await?))
    }

    fn new(engine: Engine, pool: AnyPool) -> Db {
        Db {
            pool,
            engine,
            writer: Arc::new(Semaphore::new(1)),
            outbox: Arc::new(Notify::new()),
        }
    }

    /// Which database it is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The pool, for reads outside a transaction.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Woken when a committed transaction has put events in the outbox; for the relay.
    pub fn outbox_notify(&self) -> Arc<Notify> {
        Arc::clone(&self.outbox)
    }

    /// The database answers.
    pub async fn ping(&self) -> Result<(), SqlError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn open_sqlite(path: &str, options: &str) -> Result<AnyPool, SqlError> {
    install_default_drivers();
    let absolute =
        std::path::absolute(path).map_err(|error| SqlError::Open(format!("path {path:?}: {error}")))?;
    let encoded = absolute
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3F")
        .replace('#', "%23");
    let url = &format!("sqlite://{encoded}?{options}");
    if let Some(folder) = Path::new(path)
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| {
            SqlError::Open(format!(
                "cannot make the folder {} for {path}: {error}. Choose a folder you may write to",
                folder.display()
            ))
        })?;
    }
    first_sqlite_connection(url)
        .await
        .map_err(|error| sqlite_open_error(path, &error))?;
    AnyPoolOptions::new()
        .max_connections(SQLITE_CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(SQLITE_SETUP).await.map(drop) })
        })
        .after_release(|connection, _| Box::pin(is_sound(connection)))
        .connect(url)
        .await
        .map_err(|error| sqlite_open_error(path, &error))
}

/// Whether a connection can be used again. After a failed write (a full disk) SQLite has ended the transaction by itself,
/// the driver's own rollback fails, and it counts the transaction as open for ever: no other could begin on it.
async fn is_sound(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // A rollback may still be under way: this waits behind it.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// A pool tells only that it timed out; a connection of its own tells why the file cannot be used.
async fn first_sqlite_connection(url: &str) -> Result<(), sqlx::Error> {
    let mut connection = AnyConnection::connect(url).await?;
    connection.execute(SQLITE_SETUP).await?;
    connection.execute("SELECT COUNT(*) FROM sqlite_schema").await?;
    connection.close().await
}

/// Result codes: <https://www.sqlite.org/rescode.html>.
fn sqlite_open_error(path: &str, error: &sqlx::Error) -> SqlError {
    let code = error
        .as_database_error()
        .and_then(|error| error.code())
        .and_then(|code| code.parse::<u32>().ok());
    let hint = match code.map(|code| code & 0xff) {
        Some(11 | 26) => "The file is damaged or not a database: move it away, or restore it from a backup",
        Some(8 | 14 | 23) => "Check that the file and its folder exist and that you may write to them",
        Some(13) => "The disk is full: make room and start again",
        _ => "Check the path, and that the file and its folder can be written",
    };
    SqlError::Open(format!("cannot open {path}: {error}. {hint}"))
}

async fn open_postgres(url: &str) -> Result<AnyPool, SqlError> {
    install_default_drivers();
    let failed = |error: sqlx::Error| {
        let shown = hide_password(url);
        SqlError::Open(format!(
            "cannot connect to {shown}: {error}. Check that the server runs, and the user and database in the URL"
        ))
    };
    // A pool tells only that it timed out; a connection of its own tells why.
    AnyConnection::connect(url)
        .await
        .map_err(failed)?
        .close()
        .await
        .map_err(failed)?;
    AnyPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .min_connections(POSTGRES_READY)
        .acquire_timeout(ACQUIRE)
        .connect(url)
        .await
        .map_err(failed)
}

/// The URL without its password, for messages.
pub(crate) fn hide_password(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            // It fails only for URLs that cannot have a password, and this one has.
            let _ = parsed.set_password(Some("***"));
            parsed.to_string()
        }
        Ok(_) => url.to_owned(),
        Err(_) => "(not a URL)".to_owned(),
    }
}

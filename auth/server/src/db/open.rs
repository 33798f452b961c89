//! Opening a database, with an answer for everything that can be wrong with its URL.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;

use super::{Db, DbError, Engine, schema};

/// Why the database cannot be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither engine.
    #[error(
        "DATABASE_URL must begin with sqlite:// or postgres://, for example sqlite://data/auth.db?mode=rwc or \
         postgres://user:password@host:5432/auth"
    )]
    Scheme,
    /// Every connection would have its own tables.
    #[error(
        "DATABASE_URL names an in-memory SQLite database, which forgets its keys: give a file, sqlite://data/auth.db"
    )]
    InMemory,
    /// No folder for the file.
    #[error("the folder {0} does not exist: create it, or give another path in DATABASE_URL")]
    NoFolder(PathBuf),
    /// SQLite could not open or write.
    #[error(
        "cannot open {path}: {cause}. Check that the folder and the file are writable, or give another path in DATABASE_URL"
    )]
    File {
        /// The file of the URL.
        path: PathBuf,
        /// What SQLite says.
        cause: DbError,
    },
    /// Postgres did not answer or refused.
    #[error(
        "cannot reach Postgres: {0}. Check host, port, user and database in DATABASE_URL, and that the server runs"
    )]
    Server(DbError),
}

pub(super) async fn open(url: &str) -> Result<Db, OpenError> {
    sqlx::any::install_default_drivers();
    match url.split_once(':') {
        Some(("sqlite", rest)) => open_sqlite(rest).await,
        Some(("postgres" | "postgresql", _)) => open_postgres(url).await,
        _ => Err(OpenError::Scheme),
    }
}

async fn open_sqlite(rest: &str) -> Result<Db, OpenError> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (file, options) = rest.split_once('?').unwrap_or((rest, ""));
    if file.is_empty() || file.contains(":memory:") || options.contains("mode=memory") {
        return Err(OpenError::InMemory);
    }
    let path = PathBuf::from(file);
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(OpenError::NoFolder(folder.to_owned()));
    }
    make_private(&path).map_err(|error| OpenError::File {
        path: path.clone(),
        cause: sqlx::Error::Io(error).into(),
    })?;
    let options = if options.contains("mode=") {
        options.to_owned()
    } else {
        join("mode=rwc", options)
    };
    let url = format!("sqlite://{file}?{options}");
    let opened = connect(&url, Engine::Sqlite, 4).await;
    opened.map_err(|cause| OpenError::File { path, cause })
}

/// The file holds signing keys: it is made for its owner only. SQLite gives its side files the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    if path.exists() {
        return Ok(());
    }
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        // Another replica was first.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

fn join(option: &str, more: &str) -> String {
    if more.is_empty() {
        option.to_owned()
    } else {
        format!("{option}&{more}")
    }
}

async fn open_postgres(url: &str) -> Result<Db, OpenError> {
    connect(url, Engine::Postgres, 10)
        .await
        .map_err(OpenError::Server)
}

async fn connect(url: &str, engine: Engine, connections: u32) -> Result<Db, DbError> {
    let options = AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5));
    let pool = options.connect(url).await?;
    if engine == Engine::Sqlite {
        // Readers do not wait for the writer; the mode is kept in the file.
        sqlx::query("PRAGMA journal_mode = WAL").execute(&pool).await?;
    }
    let db = Db { pool, engine };
    schema::create(&db).await?;
    Ok(db)
}

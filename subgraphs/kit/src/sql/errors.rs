//! What can go wrong with a SQL store, and what is worth another try.

use crate::retry::Transient;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The store cannot be opened; the text says what to do.
    #[error("{0}")]
    Open(String),
    /// Another writer of this process holds the store for too long.
    #[error("the store is busy: no turn to write within 10 s")]
    Busy,
    /// An event larger than the event log takes.
    #[error("event {0} is larger than the event log takes")]
    TooLarge(uuid::Uuid),
    /// The database's own error.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Transient for SqlError {
    fn is_transient(&self) -> bool {
        match self {
            SqlError::Open(_) | SqlError::TooLarge(_) => false,
            SqlError::Busy => true,
            SqlError::Database(error) => is_transient(error),
        }
    }
}

/// Whether the statement broke a unique or primary key.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation())
}

fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed | sqlx::Error::Tls(_) => {
            true
        }
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_transient_code(&code)),
        _ => false,
    }
}

/// SQLite result codes are numbers (busy 5, locked 6, and their extended forms); SQLSTATEs have five characters
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn is_transient_code(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(sqlite) if code.len() < 5 => matches!(sqlite & 0xff, 5 | 6),
        _ => {
            code.starts_with("08")
                || matches!(
                    code,
                    "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "53300"
                )
        }
    }
}

//! What can go wrong with a MongoDB store, and what is worth another try.

use crate::retry::Transient;
use mongodb::error::{ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT};

/// Code of the server's answer to making a collection that exists.
const NAMESPACE_EXISTS: i32 = 48;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum MongoError {
    /// The store cannot be opened; the text says what to do.
    #[error("{0}")]
    Open(String),
    /// An event larger than the event log takes.
    #[error("event {0} is larger than the event log takes")]
    TooLarge(uuid::Uuid),
    /// The driver's own error.
    #[error(transparent)]
    Database(#[from] mongodb::error::Error),
}

impl Transient for MongoError {
    fn is_transient(&self) -> bool {
        match self {
            MongoError::Open(_) | MongoError::TooLarge(_) => false,
            MongoError::Database(error) => {
                error.contains_label(TRANSIENT_TRANSACTION_ERROR)
                    || error.contains_label("RetryableWriteError")
                    || matches!(
                        *error.kind,
                        ErrorKind::Io(_)
                            | ErrorKind::ServerSelection { .. }
                            | ErrorKind::ConnectionPoolCleared { .. }
                    )
            }
        }
    }
}

/// The commit may or may not have happened; committing again tells.
pub(super) fn is_commit_unknown(error: &mongodb::error::Error) -> bool {
    error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT)
}

pub(super) fn is_namespace_exists(error: &mongodb::error::Error) -> bool {
    matches!(&*error.kind, ErrorKind::Command(command) if command.code == NAMESPACE_EXISTS)
}

//! Errors a client may see: a message and a code in `extensions.code`.

use async_graphql::{Error, ErrorExtensions};

/// The caller is not logged in.
pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
/// The caller is logged in, but may not do this.
pub const FORBIDDEN: &str = "FORBIDDEN";
/// An argument is not acceptable.
pub const INVALID_INPUT: &str = "INVALID_INPUT";
/// Something broke that is not the client's fault; the log has the details.
pub const INTERNAL: &str = "INTERNAL_SERVER_ERROR";

/// A GraphQL error with `extensions.code`.
pub fn coded(code: &str, message: impl Into<String>) -> Error {
    Error::new(message.into()).extend_with(|_, extensions| extensions.set("code", code))
}

/// An error whose cause goes to the log, not to the client.
pub fn internal(cause: impl std::fmt::Display) -> Error {
    tracing::error!(cause = %cause, "internal error");
    coded(INTERNAL, "internal error")
}

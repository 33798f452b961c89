//! The errors a client may see: RFC 6749 sections 4.1.2.1 and 5.2, OpenID Connect Core 3.1.2.6, RFC 8707 section 2.

use crate::db::DbError;

/// A refusal with its registered code. The texts are fixed: nothing of the request comes back in them.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// A parameter is missing, repeated or malformed.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The client is unknown or did not prove itself.
    #[error("the client is unknown, or its credentials are wrong")]
    InvalidClient,
    /// The code or refresh token cannot be used by this client in this way.
    #[error("{0}")]
    InvalidGrant(&'static str),
    /// The client is known but may not do this.
    #[error("this client may not use this grant type")]
    UnauthorizedClient,
    /// `grant_type` is none of those offered.
    #[error("grant_type must be authorization_code, refresh_token or client_credentials")]
    UnsupportedGrantType,
    /// `response_type` is not `code`.
    #[error("response_type must be code")]
    UnsupportedResponseType,
    /// A scope is unknown, not the client's, or not the user's.
    #[error("{0}")]
    InvalidScope(&'static str),
    /// `resource` names no audience of this server (RFC 8707).
    #[error("resource is not one this server issues tokens for")]
    InvalidTarget,
    /// The user said no.
    #[error("the user refused")]
    AccessDenied,
    /// `prompt=none`, and nobody is logged in.
    #[error("the user must log in")]
    LoginRequired,
    /// `prompt=none`, and the user has not agreed yet.
    #[error("the user must agree")]
    ConsentRequired,
    /// `request` objects are not offered.
    #[error("the request parameter is not supported")]
    RequestNotSupported,
    /// `request_uri` is not offered.
    #[error("the request_uri parameter is not supported")]
    RequestUriNotSupported,
    /// The database failed. The cause goes to the log.
    #[error("the server could not complete the request")]
    Server(#[from] DbError),
}

impl OAuthError {
    /// The value of `error`.
    pub fn code(&self) -> &'static str {
        match self {
            OAuthError::InvalidRequest(_) => "invalid_request",
            OAuthError::InvalidClient => "invalid_client",
            OAuthError::InvalidGrant(_) => "invalid_grant",
            OAuthError::UnauthorizedClient => "unauthorized_client",
            OAuthError::UnsupportedGrantType => "unsupported_grant_type",
            OAuthError::UnsupportedResponseType => "unsupported_response_type",
            OAuthError::InvalidScope(_) => "invalid_scope",
            OAuthError::InvalidTarget => "invalid_target",
            OAuthError::AccessDenied => "access_denied",
            OAuthError::LoginRequired => "login_required",
            OAuthError::ConsentRequired => "consent_required",
            OAuthError::RequestNotSupported => "request_not_supported",
            OAuthError::RequestUriNotSupported => "request_uri_not_supported",
            OAuthError::Server(_) => "server_error",
        }
    }
}

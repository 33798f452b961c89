//! What a user has allowed a client: the grant, and the code and refresh tokens that stand for it. Times in seconds.

use baedal_token::Scopes;

use super::Challenge;

/// RFC 6749 section 4.1.2 allows ten minutes; a redirect takes seconds.
pub const CODE_LIFETIME: i64 = 60;
/// A refresh token not used for so long ends.
pub const REFRESH_LIFETIME: i64 = 14 * 86_400;
/// However often refreshed, a grant ends then.
pub const GRANT_LIFETIME: i64 = 30 * 86_400;
/// A login in the browser ends then.
pub const SESSION_LIFETIME: i64 = 8 * 3_600;

/// One consent of one user to one client; the family all its tokens belong to. Its id is `sid` in access tokens.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The family's id.
    pub id: String,
    /// To whom.
    pub client_id: String,
    /// By whom.
    pub sub: String,
    /// For what.
    pub scope: Scopes,
    /// For which audience, if the client narrowed it (RFC 8707).
    pub resource: Option<String>,
    /// When the user last typed a password.
    pub auth_time: i64,
    /// The absolute end.
    pub expires_at: i64,
    /// Whether it was withdrawn.
    pub revoked: bool,
}

/// An authorization code as stored: by its hash.
#[derive(Debug, Clone)]
pub struct Code {
    /// SHA-256 of the code.
    pub hash: String,
    /// The grant it opens.
    pub grant_id: String,
    /// Where it was sent, byte for byte.
    pub redirect_uri: String,
    /// The PKCE challenge; there is no code without one.
    pub challenge: Challenge,
    /// `nonce` of the request, for the ID token.
    pub nonce: Option<String>,
    /// End of its life.
    pub expires_at: i64,
}

/// A refresh token as stored: by its hash.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub hash: String,
    /// The family.
    pub grant_id: String,
    /// End of its life.
    pub expires_at: i64,
    /// Whether it was exchanged already.
    pub used: bool,
}

/// A login in a browser, found by the hash of its cookie.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who logged in.
    pub sub: String,
    /// When the password was typed.
    pub auth_time: i64,
}

//! OAuth clients: RFC 6749 section 2.

use std::collections::BTreeSet;
use std::str::FromStr;

use baedal_token::Scopes;
use subtle::ConstantTimeEq;

use super::{RedirectError, check_registrable, matches, sha256};

/// What a client may do at the token endpoint and beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GrantType {
    /// Log users in.
    AuthorizationCode,
    /// Stay logged in.
    RefreshToken,
    /// Act for itself.
    ClientCredentials,
    /// Not a grant: a resource server that may look into any token (RFC 7662).
    Introspection,
}

impl GrantType {
    /// The word in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            GrantType::AuthorizationCode => "authorization_code",
            GrantType::RefreshToken => "refresh_token",
            GrantType::ClientCredentials => "client_credentials",
            GrantType::Introspection => "introspection",
        }
    }
}

impl FromStr for GrantType {
    type Err = String;

    fn from_str(text: &str) -> Result<GrantType, String> {
        [
            GrantType::AuthorizationCode,
            GrantType::RefreshToken,
            GrantType::ClientCredentials,
            GrantType::Introspection,
        ]
        .into_iter()
        .find(|grant| grant.as_str() == text)
        .ok_or_else(|| {
            "grant must be authorization_code, refresh_token, client_credentials or introspection".to_owned()
        })
    }
}

/// Why a client cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClientData {
    /// The id could be taken for something else.
    #[error("a client id is 1 to 64 of a-z, 0-9, '-' and '.', and does not start with \"demo-\"")]
    Id,
    /// A redirect URI is not safe.
    #[error("redirect URI {0}: {1}")]
    Redirect(String, RedirectError),
    /// Logging users in needs somewhere to return to.
    #[error("authorization_code needs at least one redirect URI")]
    NoRedirect,
    /// Anybody can claim to be a public client.
    #[error("client_credentials and introspection need a confidential client: add --confidential")]
    PublicMayNot,
    /// A scope the platform does not have.
    #[error("scopes are openid, profile, offline_access, order, store and operator")]
    Scope,
}

/// A registered client. One without a secret is public: an app on somebody's machine.
#[derive(Debug, Clone)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// Shown on the consent page.
    pub name: String,
    /// SHA-256 of the secret; the secret has 256 random bits, so no slow hash is needed.
    pub secret_hash: Option<String>,
    /// Registered redirect URIs.
    pub redirect_uris: Vec<String>,
    /// What it may do.
    pub grants: BTreeSet<GrantType>,
    /// What it may ask for.
    pub scopes: Scopes,
    /// Whether it belongs to the demo.
    pub demo: bool,
}

impl Client {
    /// Whether the client may do this.
    pub fn may(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    /// Whether this is the client's secret, in constant time.
    pub fn has_secret(&self, secret: &str) -> bool {
        let Some(hash) = &self.secret_hash else {
            return false;
        };
        sha256(secret).as_bytes().ct_eq(hash.as_bytes()).into()
    }

    /// Whether a code may be sent to this URI.
    pub fn redirects_to(&self, uri: &str) -> bool {
        self.redirect_uris
            .iter()
            .any(|registered| matches(registered, uri))
    }

    /// Refuses a registration that would be unsafe.
    pub fn check(&self) -> Result<(), InvalidClientData> {
        let letters = self
            .id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.');
        if self.id.is_empty() || self.id.len() > 64 || !letters || self.id.starts_with("demo-") {
            return Err(InvalidClientData::Id);
        }
        for uri in &self.redirect_uris {
            check_registrable(uri).map_err(|error| InvalidClientData::Redirect(uri.clone(), error))?;
        }
        if self.may(GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            return Err(InvalidClientData::NoRedirect);
        }
        let needs_secret = self.may(GrantType::ClientCredentials) || self.may(GrantType::Introspection);
        if needs_secret && self.secret_hash.is_none() {
            return Err(InvalidClientData::PublicMayNot);
        }
        let known = Scopes::parse("openid profile offline_access order store operator");
        if self.scopes.is_subset(&known) {
            Ok(())
        } else {
            Err(InvalidClientData::Scope)
        }
    }
}

//! The words and rules of the server: no HTTP, no SQL, no clock of its own.

mod attempts;
mod authorize;
mod client;
mod error;
mod grant;
mod keys;
mod password;
mod pkce;
mod redirect;
mod secret;
mod user;

pub use attempts::{Attempts, WINDOW, locked_for};
pub use authorize::{AuthRequest, Prompt, Step, decide};
pub use client::{Client, GrantType, InvalidClientData};
pub use error::OAuthError;
pub use grant::{
    CODE_LIFETIME, Code, GRANT_LIFETIME, Grant, REFRESH_LIFETIME, RefreshToken, SESSION_LIFETIME, Session,
};
pub use keys::{KEY_NOTICE, Keys, StoredKey};
pub use password::{Hasher, HasherBusy, Password, PasswordError};
pub use pkce::{Challenge, Verifier};
pub use redirect::{RedirectError, check_registrable, identifies_client, matches, source};
pub use secret::{Secret, sha256};
pub use user::{Role, User};

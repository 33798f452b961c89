//! What the server does, one flow per file, each with its specification at the top.

mod authorize;
mod client_credentials;
mod code;
mod consent;
mod introspect;
mod issue;
mod login;
mod metadata;
mod refresh;
mod revoke;
mod revoked;
mod userinfo;

pub use authorize::{Next, Refusal, authorize, read};
pub use client_credentials::client_credentials;
pub use code::redeem_code;
pub use consent::{agree, refuse};
pub use introspect::introspect;
pub use issue::TokenAnswer;
pub use login::{LoginRefusal, log_in};
pub use metadata::metadata;
pub use refresh::refresh;
pub use revoke::revoke;
pub use revoked::revoked;
pub use userinfo::{UserinfoRefusal, userinfo};

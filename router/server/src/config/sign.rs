//! `subgraphs.NAME.sign`: calls that prove that they come from the gateway.

use baedal_token::message::SharedKey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Calls to the subgraph are signed (HTTP Message Signatures, RFC 9421: `hmac-sha256` over method, path and the digest of the
/// body), so that it can refuse whoever else reaches it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignConfig {
    /// The name of the secret, by which the subgraph finds it: letters, digits, `-`, `_` and `.`.
    pub key_id: String,
    /// What both sides know; at least 32 characters.
    #[schemars(extend("writeOnly" = true))]
    pub secret: String,
}

impl SignConfig {
    /// The key; `None` for one that [`SignConfig::check`] refuses.
    pub fn key(&self) -> Option<SharedKey> {
        SharedKey::new(&self.key_id, self.secret.as_bytes()).ok()
    }

    /// `key`: where it stands.
    pub(super) fn check(&self, key: &str) -> Result<(), ConfigError> {
        match SharedKey::new(&self.key_id, self.secret.as_bytes()) {
            Ok(_) => Ok(()),
            Err(error) => Err(ConfigError::value(key, &error.to_string())),
        }
    }
}

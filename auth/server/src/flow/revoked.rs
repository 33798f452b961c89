//! The list of what was withdrawn, for whoever checks access tokens without asking for each: those who have it refuse what
//! is in it as soon as they have read it. It holds ids and nothing that could be used for anything, so anybody may read it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::db::DbError;

/// The list as JSON, and what it is called as long as it says the same (RFC 9110, section 8.8.3).
pub async fn revoked(ctx: &Context) -> Result<(String, String), DbError> {
    let lifetime = ctx.settings.access_token_lifetime;
    let withdrawn = ctx.db.withdrawn(ctx.now(), lifetime).await?;
    let list = json!({ "jti": withdrawn.jti, "sid": withdrawn.sid }).to_string();
    let tag = URL_SAFE_NO_PAD.encode(&Sha256::digest(&list)[..16]);
    Ok((list, format!("\"{tag}\"")))
}

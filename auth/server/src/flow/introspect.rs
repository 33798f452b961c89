//! Whether a token is good now: [RFC 7662](https://www.rfc-editor.org/rfc/rfc7662).
//!
//! A client sees its own tokens; a resource server (a client with `introspection`) sees all. Everybody else, and every
//! bad token, gets `{"active":false}` and nothing more.

use serde_json::{Value, json};

use crate::context::Context;
use crate::domain::{Client, GrantType, OAuthError, sha256};
use crate::params::Params;

/// The state of a token, as far as this client may know it.
pub async fn introspect(ctx: &Context, client: &Client, params: &Params) -> Result<Value, OAuthError> {
    if client.secret_hash.is_none() {
        return Err(OAuthError::InvalidClient);
    }
    let token = params
        .get("token")
        .ok_or(OAuthError::InvalidRequest("token is required"))?;
    let found = match refresh_token(ctx, token).await? {
        Some(found) => Some(found),
        None => access_token(ctx, token).await?,
    };
    let visible = |owner: &Value| client.may(GrantType::Introspection) || owner == client.id.as_str();
    Ok(found
        .filter(|found| visible(&found["client_id"]))
        .unwrap_or_else(|| json!({ "active": false })))
}

async fn access_token(ctx: &Context, token: &str) -> Result<Option<Value>, OAuthError> {
    let Ok(claims) = ctx.check_access_token(token).await? else {
        return Ok(None);
    };
    Ok(Some(json!({
        "active": true, "token_type": "Bearer", "iss": claims.iss, "sub": claims.sub, "aud": claims.aud,
        "exp": claims.exp, "iat": claims.iat, "jti": claims.jti, "client_id": claims.client_id,
        "scope": claims.scope.to_string(),
    })))
}

async fn refresh_token(ctx: &Context, token: &str) -> Result<Option<Value>, OAuthError> {
    let Some(refresh) = ctx.db.refresh(&sha256(token)).await? else {
        return Ok(None);
    };
    let Some(grant) = ctx.db.grant(&refresh.grant_id).await? else {
        return Ok(None);
    };
    let now = ctx.now();
    let alive = !refresh.used && !grant.revoked && now < refresh.expires_at && now < grant.expires_at;
    Ok(alive.then(|| {
        json!({
            "active": true, "token_type": "refresh_token", "iss": ctx.settings.issuer, "sub": grant.sub,
            "exp": refresh.expires_at, "client_id": grant.client_id, "scope": grant.scope.to_string(),
        })
    }))
}

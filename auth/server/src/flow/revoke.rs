//! A client gives a token back: [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009).
//!
//! Unknown tokens and tokens of other clients get the same answer, 200: the endpoint tells nobody which tokens exist.

use crate::context::Context;
use crate::domain::{Client, OAuthError, sha256};
use crate::params::Params;

/// Withdraws a refresh token with its whole grant, or one access token.
pub async fn revoke(ctx: &Context, client: &Client, params: &Params) -> Result<(), OAuthError> {
    let token = params
        .get("token")
        .ok_or(OAuthError::InvalidRequest("token is required"))?;
    if let Some(refresh) = ctx.db.refresh(&sha256(token)).await? {
        let grant = ctx.db.grant(&refresh.grant_id).await?;
        if grant.is_some_and(|grant| grant.client_id == client.id) {
            ctx.db.revoke_grant(&refresh.grant_id, ctx.now()).await?;
        }
        return Ok(());
    }
    if let Ok(claims) = ctx.check_access_token(token).await?
        && claims.client_id == client.id
    {
        ctx.db
            .deny(&claims.jti, i64::try_from(claims.exp).unwrap_or(i64::MAX))
            .await?;
    }
    Ok(())
}

//! A refresh token becomes new tokens, once: [RFC 6749 section 6](https://www.rfc-editor.org/rfc/rfc6749#section-6), with
//! rotation and reuse detection ([RFC 9700 section 4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2)).

use baedal_token::Scopes;

use super::authorize::within_role;
use super::code::{audience, new_refresh};
use super::{TokenAnswer, issue};
use crate::context::Context;
use crate::domain::{Client, Grant, GrantType, OAuthError, RefreshToken, sha256};
use crate::params::Params;

const REFUSED: OAuthError =
    OAuthError::InvalidGrant("the refresh token is wrong, used, expired, revoked, or not for this client");

/// Exchanges a refresh token. Of any number of uses one succeeds; every other withdraws the whole family.
pub async fn refresh(ctx: &Context, client: &Client, params: &Params) -> Result<TokenAnswer, OAuthError> {
    if !client.may(GrantType::RefreshToken) {
        return Err(OAuthError::UnauthorizedClient);
    }
    let text = params
        .get("refresh_token")
        .ok_or(OAuthError::InvalidRequest("refresh_token is required"))?;
    let old = ctx.db.refresh(&sha256(text)).await?.ok_or(REFUSED)?;
    let grant = ctx.db.grant(&old.grant_id).await?.ok_or(REFUSED)?;
    check(ctx, client, &old, &grant)?;
    let scope = read_scope(&grant, params.get("scope"))?;
    let audience = audience(ctx, &grant, params)?;
    let user = ctx.db.user_by_sub(&grant.sub).await?.ok_or(REFUSED)?;
    let scope = within_role(&scope, &user)?;
    let (successor, secret) = new_refresh(ctx, &grant);
    if !ctx.db.rotate(&old.hash, &successor, ctx.now()).await? {
        tracing::warn!(
            grant = grant.id,
            "a refresh token was used twice; its grant is revoked"
        );
        ctx.db.revoke_grant(&grant.id, ctx.now()).await?;
        return Err(REFUSED);
    }
    let mut answer = issue::for_grant(ctx, &grant, &scope, &audience, None);
    answer.refresh_token = Some(secret.text().to_owned());
    Ok(answer)
}

fn check(ctx: &Context, client: &Client, token: &RefreshToken, grant: &Grant) -> Result<(), OAuthError> {
    let now = ctx.now();
    let alive = now < token.expires_at && now < grant.expires_at && !grant.revoked;
    if grant.client_id == client.id && alive {
        Ok(())
    } else {
        Err(REFUSED)
    }
}

/// The access token may carry less than the grant; the next refresh token still stands for all of it.
fn read_scope(grant: &Grant, scope: Option<&str>) -> Result<Scopes, OAuthError> {
    let Some(scope) = scope else {
        return Ok(grant.scope.clone());
    };
    let asked = Scopes::parse(scope);
    match asked.is_subset(&grant.scope) {
        true => Ok(asked),
        false => Err(OAuthError::InvalidScope("a scope was not granted")),
    }
}

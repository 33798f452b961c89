//! A code becomes tokens: [RFC 6749 section 4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3), PKCE
//! (RFC 7636 section 4.6), and what a second use means ([RFC 9700 section 4.2.4](https://www.rfc-editor.org/rfc/rfc9700)).

use super::{TokenAnswer, issue};
use crate::context::Context;
use crate::domain::{
    Client, Code, Grant, GrantType, OAuthError, REFRESH_LIFETIME, RefreshToken, Secret, Verifier, sha256,
};
use crate::params::Params;

const REFUSED: OAuthError =
    OAuthError::InvalidGrant("the code is wrong, used, expired, or not for this client and redirect_uri");

/// Redeems a code for the client that asked for it, once.
pub async fn redeem_code(ctx: &Context, client: &Client, params: &Params) -> Result<TokenAnswer, OAuthError> {
    if !client.may(GrantType::AuthorizationCode) {
        return Err(OAuthError::UnauthorizedClient);
    }
    let text = params
        .get("code")
        .ok_or(OAuthError::InvalidRequest("code is required"))?;
    let verifier = Verifier::parse(params.get("code_verifier"))?;
    let code = ctx.db.code(&sha256(text)).await?.ok_or(REFUSED)?;
    let grant = ctx.db.grant(&code.grant_id).await?.ok_or(REFUSED)?;
    if grant.client_id != client.id {
        return Err(REFUSED);
    }
    use_once(ctx, &code).await?;
    check(ctx, &code, &grant, &verifier, params)?;
    let audience = audience(ctx, &grant, params)?;
    let mut answer = issue::for_grant(ctx, &grant, &grant.scope, &audience, code.nonce.as_deref());
    if client.may(GrantType::RefreshToken) && grant.scope.contains("offline_access") {
        answer.refresh_token = Some(first_refresh(ctx, &grant).await?);
    }
    Ok(answer)
}

/// Two uses of one code mean that somebody else has it, too: everything it gave is withdrawn.
async fn use_once(ctx: &Context, code: &Code) -> Result<(), OAuthError> {
    let now = ctx.now();
    if ctx.db.use_code(&code.hash, now).await? {
        return Ok(());
    }
    tracing::warn!(
        grant = code.grant_id,
        "an authorization code was used twice; its grant is revoked"
    );
    ctx.db.revoke_grant(&code.grant_id, now).await?;
    Err(REFUSED)
}

/// `redirect_uri` may be left out (OAuth 2.1); if it is there, it is the one the code was sent to.
fn check(
    ctx: &Context,
    code: &Code,
    grant: &Grant,
    verifier: &Verifier,
    params: &Params,
) -> Result<(), OAuthError> {
    let same_redirect = params
        .get("redirect_uri")
        .is_none_or(|uri| uri == code.redirect_uri);
    let alive = ctx.now() < code.expires_at && !grant.revoked;
    match same_redirect && alive && code.challenge.is_met_by(verifier) {
        true => Ok(()),
        false => Err(REFUSED),
    }
}

/// RFC 8707 section 2.2: the token request may narrow the audience of the grant, never widen it.
pub(super) fn audience(ctx: &Context, grant: &Grant, params: &Params) -> Result<String, OAuthError> {
    match (params.get("resource"), &grant.resource) {
        (None, None) => Ok(ctx.settings.audience.clone()),
        (None, Some(granted)) => Ok(granted.clone()),
        (Some(asked), Some(granted)) if asked == granted => Ok(granted.clone()),
        (Some(asked), None) if ctx.settings.has_resource(asked) => Ok(asked.to_owned()),
        _ => Err(OAuthError::InvalidTarget),
    }
}

async fn first_refresh(ctx: &Context, grant: &Grant) -> Result<String, OAuthError> {
    let (token, secret) = new_refresh(ctx, grant);
    ctx.db.add_refresh(&token).await?;
    Ok(secret.text().to_owned())
}

/// A refresh token that ends with its grant at the latest.
pub(super) fn new_refresh(ctx: &Context, grant: &Grant) -> (RefreshToken, Secret) {
    let secret = Secret::random();
    let expires_at = (ctx.now() + REFRESH_LIFETIME).min(grant.expires_at);
    (
        RefreshToken {
            hash: secret.hash(),
            grant_id: grant.id.clone(),
            expires_at,
            used: false,
        },
        secret,
    )
}

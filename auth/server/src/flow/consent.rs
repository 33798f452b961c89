//! The user's yes or no, and the code that follows a yes:
//! [RFC 6749 section 4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2).

use uuid::Uuid;

use super::authorize::{answer_url, error_url, giver};
use super::{Refusal, read};
use crate::context::Context;
use crate::domain::{AuthRequest, CODE_LIFETIME, Code, GRANT_LIFETIME, Grant, OAuthError, Secret, Session};
use crate::params::Params;

/// The user agrees: remembers it and answers with a code.
pub async fn agree(ctx: &Context, params: &Params, session: &Session) -> Result<String, Refusal> {
    let request = read(ctx, params).await?;
    let now = ctx.now();
    ctx.db
        .remember_consent(&session.sub, &request.client.id, &request.scope, now)
        .await?;
    answer(ctx, &request, session).await
}

/// The user refuses: `access_denied`.
pub async fn refuse(ctx: &Context, params: &Params) -> Result<String, Refusal> {
    let request = read(ctx, params).await?;
    Ok(error_url(
        ctx,
        &request.redirect_uri,
        request.state.as_deref(),
        &OAuthError::AccessDenied,
    ))
}

/// Opens a grant and sends its code to the client.
pub(super) async fn answer(
    ctx: &Context,
    request: &AuthRequest,
    session: &Session,
) -> Result<String, Refusal> {
    let (user, scope) = giver(ctx, request, session).await?;
    let now = ctx.now();
    let grant = Grant {
        id: Uuid::new_v4().to_string(),
        client_id: request.client.id.clone(),
        sub: user.sub,
        scope,
        resource: request.resource.clone(),
        auth_time: session.auth_time,
        expires_at: now + GRANT_LIFETIME,
        revoked: false,
    };
    let secret = Secret::random();
    let code = Code {
        hash: secret.hash(),
        grant_id: grant.id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        nonce: request.nonce.clone(),
        expires_at: now + CODE_LIFETIME,
    };
    ctx.db.add_code(&grant, &code).await?;
    Ok(answer_url(
        ctx,
        &request.redirect_uri,
        request.state.as_deref(),
        &[("code", secret.text())],
    ))
}

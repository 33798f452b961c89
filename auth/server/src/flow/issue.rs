//! Tokens: the access token of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068#section-2) and the ID token of
//! [OpenID Connect Core section 2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken).

use baedal_token::{ACCESS_TOKEN_TYPE, Scopes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::context::Context;
use crate::domain::Grant;

/// The answer of the token endpoint, RFC 6749 section 5.1.
#[derive(Serialize)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
    /// What was granted.
    pub scope: String,
    /// The next refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

#[derive(Serialize)]
struct AccessClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: String,
    client_id: &'a str,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
}

#[derive(Serialize)]
struct IdClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    at_hash: String,
}

/// Tokens for a user's grant; `audience` and `scope` lie within it.
pub(super) fn for_grant(
    ctx: &Context,
    grant: &Grant,
    scope: &Scopes,
    audience: &str,
    nonce: Option<&str>,
) -> TokenAnswer {
    let now = ctx.now();
    let claims = AccessClaims {
        sid: Some(&grant.id),
        auth_time: Some(grant.auth_time),
        ..access_claims(ctx, (&grant.sub, &grant.client_id), scope, audience)
    };
    let mut answer = answer(ctx, &claims);
    if scope.contains("openid") {
        let claims = IdClaims {
            iss: &ctx.settings.issuer,
            sub: &grant.sub,
            aud: &grant.client_id,
            exp: now + ctx.settings.access_token_lifetime,
            iat: now,
            auth_time: grant.auth_time,
            nonce,
            at_hash: at_hash(&answer.access_token),
        };
        answer.id_token = Some(ctx.keys().signing().sign(&claims, "JWT"));
    }
    answer
}

/// A token for a client that acts for itself; `sub` is the client (RFC 9068 section 2.2).
pub(super) fn for_client(ctx: &Context, client_id: &str, scope: &Scopes, audience: &str) -> TokenAnswer {
    answer(ctx, &access_claims(ctx, (client_id, client_id), scope, audience))
}

fn access_claims<'a>(
    ctx: &'a Context,
    (sub, client_id): (&'a str, &'a str),
    scope: &Scopes,
    audience: &'a str,
) -> AccessClaims<'a> {
    let now = ctx.now();
    AccessClaims {
        iss: &ctx.settings.issuer,
        sub,
        aud: audience,
        exp: now + ctx.settings.access_token_lifetime,
        iat: now,
        jti: Uuid::new_v4().to_string(),
        client_id,
        scope: scope.to_string(),
        sid: None,
        auth_time: None,
    }
}

fn answer(ctx: &Context, claims: &AccessClaims<'_>) -> TokenAnswer {
    TokenAnswer {
        access_token: ctx.keys().signing().sign(claims, ACCESS_TOKEN_TYPE),
        token_type: "Bearer",
        expires_in: ctx.settings.access_token_lifetime,
        scope: claims.scope.clone(),
        refresh_token: None,
        id_token: None,
    }
}

/// OpenID Connect Core section 3.1.3.6: the left half of the hash.
fn at_hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token)[..16])
}

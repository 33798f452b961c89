//! Who is logged in: [OpenID Connect Core section 5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo).

use baedal_token::TokenError;
use serde_json::{Value, json};

use crate::context::Context;
use crate::db::DbError;

/// Why userinfo is refused.
#[derive(Debug)]
pub enum UserinfoRefusal {
    /// The token is no good.
    Token(TokenError),
    /// The token is good, but not for this: it lacks `openid`.
    Scope,
    /// The database failed.
    Server(DbError),
}

impl From<DbError> for UserinfoRefusal {
    fn from(error: DbError) -> UserinfoRefusal {
        UserinfoRefusal::Server(error)
    }
}

/// The claims about the user of this access token: `sub`, and with `profile` the names.
pub async fn userinfo(ctx: &Context, token: &str) -> Result<Value, UserinfoRefusal> {
    let claims = ctx
        .check_access_token(token)
        .await?
        .map_err(UserinfoRefusal::Token)?;
    if !claims.aud.contains(&ctx.settings.audience) {
        return Err(UserinfoRefusal::Token(TokenError::Audience));
    }
    if !claims.has_scope("openid") {
        return Err(UserinfoRefusal::Scope);
    }
    let user = ctx
        .db
        .user_by_sub(&claims.sub)
        .await?
        .ok_or(UserinfoRefusal::Token(TokenError::Claim("sub")))?;
    match claims.has_scope("profile") {
        true => Ok(json!({ "sub": user.sub, "name": user.name, "preferred_username": user.login })),
        false => Ok(json!({ "sub": user.sub })),
    }
}

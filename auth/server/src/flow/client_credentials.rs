//! A client acts for itself: [RFC 6749 section 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4).

use baedal_token::Scopes;

use super::{TokenAnswer, issue};
use crate::context::Context;
use crate::domain::{Client, GrantType, OAuthError};
use crate::params::Params;

/// Issues an access token to a confidential client; no refresh token, no ID token.
pub fn client_credentials(
    ctx: &Context,
    client: &Client,
    params: &Params,
) -> Result<TokenAnswer, OAuthError> {
    if !client.may(GrantType::ClientCredentials) || client.secret_hash.is_none() {
        return Err(OAuthError::UnauthorizedClient);
    }
    let audience = match params.get("resource") {
        None => ctx.settings.audience.as_str(),
        Some(resource) if ctx.settings.has_resource(resource) => resource,
        Some(_) => return Err(OAuthError::InvalidTarget),
    };
    let scope = read_scope(client, params.get("scope"))?;
    Ok(issue::for_client(ctx, &client.id, &scope, audience))
}

/// Scopes that speak of a user mean nothing here.
fn read_scope(client: &Client, scope: Option<&str>) -> Result<Scopes, OAuthError> {
    let personal = ["openid", "profile", "offline_access"];
    let own: Scopes = client
        .scopes
        .iter()
        .filter(|scope| !personal.contains(scope))
        .collect();
    let Some(scope) = scope else { return Ok(own) };
    let asked = Scopes::parse(scope);
    match asked.is_subset(&own) {
        true => Ok(asked),
        false => Err(OAuthError::InvalidScope(
            "a scope is unknown or not this client's",
        )),
    }
}

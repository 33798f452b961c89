//! The authorization endpoint: [RFC 6749 section 4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1) with
//! PKCE (RFC 7636), `iss` in the answer (RFC 9207), `resource` (RFC 8707) and OpenID Connect Core section 3.1.2.
//!
//! Until client and redirect URI are known to belong together, an error is a page here, never a redirect: otherwise
//! the server would send its users wherever a link says (RFC 9700 section 4.11).

use baedal_token::Scopes;
use url::form_urlencoded;

use super::consent;
use crate::context::Context;
use crate::db::DbError;
use crate::domain::{
    AuthRequest, Challenge, Client, GrantType, OAuthError, Prompt, Session, Step, User, decide,
    identifies_client,
};
use crate::params::Params;

/// What the browser gets next.
pub enum Next {
    /// The login page.
    Login(AuthRequest),
    /// The consent page: what is asked, who is asked, and what that user can give.
    Consent(AuthRequest, User, Scopes),
    /// Back to the client.
    Redirect(String),
}

/// Why a request gets no further.
#[derive(Debug)]
pub enum Refusal {
    /// Shown to the user; nothing is sent anywhere.
    Page(&'static str),
    /// Sent to the client.
    Redirect(String),
    /// The database failed.
    Server(DbError),
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Refusal {
        Refusal::Server(error)
    }
}

/// Checks the request and takes the next step.
pub async fn authorize(ctx: &Context, params: &Params, session: Option<&Session>) -> Result<Next, Refusal> {
    let request = read(ctx, params).await?;
    let agreed = match session {
        Some(session) => has_agreed(ctx, &request, session).await?,
        None => false,
    };
    match decide(&request, session, agreed, ctx.now()) {
        Step::Login => Ok(Next::Login(request)),
        Step::Consent(session) => {
            let (user, scope) = giver(ctx, &request, session).await?;
            Ok(Next::Consent(request, user, scope))
        }
        Step::Answer(session) => consent::answer(ctx, &request, session).await.map(Next::Redirect),
        Step::Refuse(error) => Err(refuse(ctx, &request, &error)),
    }
}

/// Who is logged in, and what of the asked scopes that user can give.
pub(super) async fn giver(
    ctx: &Context,
    request: &AuthRequest,
    session: &Session,
) -> Result<(User, Scopes), Refusal> {
    let user = ctx.db.user_by_sub(&session.sub).await?;
    let user = user.ok_or_else(|| refuse(ctx, request, &OAuthError::AccessDenied))?;
    let scope = within_role(&request.scope, &user).map_err(|error| refuse(ctx, request, &error))?;
    Ok((user, scope))
}

fn refuse(ctx: &Context, request: &AuthRequest, error: &OAuthError) -> Refusal {
    Refusal::Redirect(error_url(
        ctx,
        &request.redirect_uri,
        request.state.as_deref(),
        error,
    ))
}

/// A consent is remembered only for clients nobody can pretend to be (RFC 8252 section 8.6).
async fn has_agreed(ctx: &Context, request: &AuthRequest, session: &Session) -> Result<bool, DbError> {
    if request.client.secret_hash.is_none() && !identifies_client(&request.redirect_uri) {
        return Ok(false);
    }
    Ok(request
        .scope
        .is_subset(&ctx.db.consent(&session.sub, &request.client.id).await?))
}

/// Reads a request: first whom to answer, then what is asked.
pub async fn read(ctx: &Context, params: &Params) -> Result<AuthRequest, Refusal> {
    let client = read_client(ctx, params).await?;
    let redirect_uri = read_redirect(&client, params)?;
    let state = params.get("state").map(str::to_owned);
    let refused =
        |error: OAuthError| Refusal::Redirect(error_url(ctx, &redirect_uri, state.as_deref(), &error));
    read_rest(ctx, client, redirect_uri.clone(), params).map_err(refused)
}

async fn read_client(ctx: &Context, params: &Params) -> Result<Client, Refusal> {
    let id = params
        .get("client_id")
        .ok_or(Refusal::Page("The request names no client_id."))?;
    let client = ctx.db.client(id).await?;
    let client = client.ok_or(Refusal::Page("The client_id is not registered here."))?;
    match client.may(GrantType::AuthorizationCode) {
        true => Ok(client),
        false => Err(Refusal::Page("This client may not log users in.")),
    }
}

fn read_redirect(client: &Client, params: &Params) -> Result<String, Refusal> {
    let uri = params
        .get("redirect_uri")
        .ok_or(Refusal::Page("The request names no redirect_uri."))?;
    match client.redirects_to(uri) {
        true => Ok(uri.to_owned()),
        false => Err(Refusal::Page(
            "The redirect_uri is not registered for this client.",
        )),
    }
}

fn read_rest(
    ctx: &Context,
    client: Client,
    redirect_uri: String,
    params: &Params,
) -> Result<AuthRequest, OAuthError> {
    check_offered(params)?;
    let challenge = Challenge::parse(params.get("code_challenge"), params.get("code_challenge_method"))?;
    let scope = read_scope(&client, params.get("scope"))?;
    let resource = params.get("resource").map(str::to_owned);
    if resource
        .as_ref()
        .is_some_and(|resource| !ctx.settings.has_resource(resource))
    {
        return Err(OAuthError::InvalidTarget);
    }
    let prompt = Prompt::parse(params.get("prompt").unwrap_or(""))?;
    let max_age = params.get("max_age").map(read_max_age).transpose()?;
    let text = |name| params.get(name).map(str::to_owned);
    Ok(AuthRequest {
        client,
        redirect_uri,
        scope,
        state: text("state"),
        nonce: text("nonce"),
        challenge,
        resource,
        prompt,
        max_age,
    })
}

/// The parts of the specifications that this server does not offer must be refused by name.
fn check_offered(params: &Params) -> Result<(), OAuthError> {
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(OAuthError::UnsupportedResponseType),
        None => return Err(OAuthError::InvalidRequest("response_type is required")),
    }
    if params.get("request").is_some() {
        return Err(OAuthError::RequestNotSupported);
    }
    if params.get("request_uri").is_some() {
        return Err(OAuthError::RequestUriNotSupported);
    }
    match params.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(OAuthError::InvalidRequest("response_mode must be query")),
    }
}

/// What is asked for, or all the client may have (RFC 6749 section 3.3).
fn read_scope(client: &Client, scope: Option<&str>) -> Result<Scopes, OAuthError> {
    let Some(scope) = scope else {
        return Ok(client.scopes.clone());
    };
    let asked = Scopes::parse(scope);
    if asked.is_empty() || !asked.is_subset(&client.scopes) {
        return Err(OAuthError::InvalidScope(
            "a scope is unknown or not this client's",
        ));
    }
    Ok(asked)
}

fn read_max_age(text: &str) -> Result<i64, OAuthError> {
    let seconds = text
        .parse::<u32>()
        .map_err(|_| OAuthError::InvalidRequest("max_age must be a number of seconds"))?;
    Ok(i64::from(seconds))
}

/// The scopes a user of this role can give.
pub(super) fn within_role(scope: &Scopes, user: &User) -> Result<Scopes, OAuthError> {
    let granted = scope.intersection(&user.role.scopes());
    let useful = granted.iter().any(|scope| scope != "offline_access");
    if useful {
        Ok(granted)
    } else {
        Err(OAuthError::InvalidScope(
            "this user can give none of these scopes",
        ))
    }
}

/// The redirect that carries an error, RFC 6749 section 4.1.2.1.
pub(super) fn error_url(
    ctx: &Context,
    redirect_uri: &str,
    state: Option<&str>,
    error: &OAuthError,
) -> String {
    let description = error.to_string();
    answer_url(
        ctx,
        redirect_uri,
        state,
        &[("error", error.code()), ("error_description", &description)],
    )
}

/// The redirect that carries an answer: `state` as it came, and who answers (RFC 9207).
pub(super) fn answer_url(
    ctx: &Context,
    redirect_uri: &str,
    state: Option<&str>,
    answer: &[(&str, &str)],
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", &ctx.settings.issuer);
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{joint}{}", query.finish())
}

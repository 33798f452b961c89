//! The endpoints that people see: /authorize, and the forms it shows.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::Response;

use super::answer::{insert, page, redirect, refusal};
use super::{address, cookie, form, pages};
use crate::context::Context;
use crate::domain::{AuthRequest, Session, sha256, source};
use crate::flow::{self, LoginRefusal, Next, Refusal};
use crate::params::Params;

const FOREIGN_FORM: &str = "The form did not come from this site, or its page is too old. Go back to the application and begin again.";

/// GET /authorize.
pub async fn authorize_get(
    State(ctx): State<Arc<Context>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match form::read_query(query.as_deref()) {
        Ok(params) => authorize(&ctx, params, &headers).await,
        Err(reason) => refusal(Refusal::Page(reason)),
    }
}

/// POST /authorize: the same request as a form (OpenID Connect Core section 3.1.2.1), turned into a GET: browsers send
/// a `SameSite=Lax` cookie along with that, but not with a form from another site.
pub async fn authorize_post(State(ctx): State<Arc<Context>>, request: Request<Body>) -> Response {
    match form::read(request).await {
        Ok(params) => redirect(&authorize_url(&ctx, &params)),
        Err(reason) => refusal(Refusal::Page(reason)),
    }
}

fn authorize_url(ctx: &Context, params: &Params) -> String {
    format!("{}?{}", ctx.settings.url("/authorize"), params.encode())
}

async fn authorize(ctx: &Context, params: Params, headers: &HeaderMap) -> Response {
    let sent = cookie::read(headers, &ctx.settings);
    let session = match session(ctx, sent.as_deref()).await {
        Ok(session) => session,
        Err(error) => return refusal(error),
    };
    let value = sent.clone().unwrap_or_else(cookie::fresh);
    let mut response = match flow::authorize(ctx, &params, session.as_ref()).await {
        Ok(Next::Login(request)) => login_page(StatusCode::OK, &request, &params, &value, None),
        Ok(Next::Consent(request, user, scope)) => {
            let form = pages::Form {
                csrf: cookie::csrf(&value),
                request: params.encode(),
            };
            let html = pages::consent(&form, &request, &user, &scope);
            page(StatusCode::OK, html, Some(&source(&request.redirect_uri)))
        }
        Ok(Next::Redirect(url)) => redirect(&url),
        Err(error) => refusal(error),
    };
    if sent.is_none() && response.status() == StatusCode::OK {
        cookie::set(&mut response, &ctx.settings, &value);
    }
    response
}

async fn session(ctx: &Context, cookie: Option<&str>) -> Result<Option<Session>, Refusal> {
    match cookie {
        Some(value) => Ok(ctx.db.session(&sha256(value), ctx.now()).await?),
        None => Ok(None),
    }
}

fn login_page(
    status: StatusCode,
    request: &AuthRequest,
    params: &Params,
    cookie: &str,
    problem: Option<&str>,
) -> Response {
    let form = pages::Form {
        csrf: cookie::csrf(cookie),
        request: params.encode(),
    };
    page(
        status,
        pages::login(&form, &request.client.name, problem),
        Some(&source(&request.redirect_uri)),
    )
}

/// POST /login. The way back is always /authorize with the request of the form: there is no URL to go astray to.
pub async fn login(
    State(ctx): State<Arc<Context>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let headers = request.headers().clone();
    let (cookie, form, params) = match read_form(&ctx, request).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let address = address::caller(&headers, peer.ip(), ctx.settings.forwarded_hops);
    let (login, password) = (
        form.get("login").unwrap_or(""),
        form.get("password").unwrap_or(""),
    );
    let attempt = flow::log_in(&ctx, login, password, &address).await;
    ctx.observer.login(&attempt);
    match attempt {
        Ok(new) => {
            if let Err(cause) = ctx.db.end_session(&sha256(&cookie)).await {
                return refusal(cause.into());
            }
            let mut response = redirect(&authorize_url(&ctx, &after_login(params)));
            cookie::set(&mut response, &ctx.settings, new.text());
            response
        }
        Err(refused) => login_refused(&ctx, &params, &cookie, &refused).await,
    }
}

async fn login_refused(ctx: &Context, params: &Params, cookie: &str, refused: &LoginRefusal) -> Response {
    let status = match refused {
        LoginRefusal::Wrong => StatusCode::UNAUTHORIZED,
        LoginRefusal::Locked(_) => StatusCode::TOO_MANY_REQUESTS,
        LoginRefusal::NoPassword(_) => StatusCode::BAD_REQUEST,
        LoginRefusal::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
        LoginRefusal::Server(cause) => return refusal(cause.clone().into()),
    };
    let request = match flow::read(ctx, params).await {
        Ok(request) => request,
        Err(error) => return refusal(error),
    };
    let mut response = login_page(status, &request, params, cookie, Some(&refused.to_string()));
    match refused {
        LoginRefusal::Locked(seconds) => {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(*seconds));
        }
        LoginRefusal::Busy(_) => insert(&mut response, RETRY_AFTER, "5"),
        _ => insert(&mut response, WWW_AUTHENTICATE, "Form realm=\"baedal\""),
    }
    response
}

/// The request once the password was typed: what asked for that is done.
fn after_login(params: Params) -> Params {
    let words = params.get("prompt").unwrap_or("").split(' ');
    let rest: Vec<&str> = words
        .filter(|word| !["login", "select_account", ""].contains(word))
        .collect();
    let rest = rest.join(" ");
    let params = if params.get("max_age") == Some("0") {
        params.without("max_age")
    } else {
        params
    };
    if rest.is_empty() {
        params.without("prompt")
    } else {
        params.with("prompt", rest)
    }
}

/// POST /consent.
pub async fn consent(State(ctx): State<Arc<Context>>, request: Request<Body>) -> Response {
    let (cookie, form, params) = match read_form(&ctx, request).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let session = match session(&ctx, Some(&cookie)).await {
        Ok(Some(session)) => session,
        Ok(None) => return page(StatusCode::FORBIDDEN, pages::error(FOREIGN_FORM), None),
        Err(error) => return refusal(error),
    };
    let outcome = match form.get("decision") {
        Some("allow") => flow::agree(&ctx, &params, &session).await,
        _ => flow::refuse(&ctx, &params).await,
    };
    match outcome {
        Ok(url) => redirect(&url),
        Err(error) => refusal(error),
    }
}

/// Reads one of our own forms: the cookie it belongs to, its fields, and the authorization request it carries.
async fn read_form(ctx: &Context, request: Request<Body>) -> Result<(String, Params, Params), Response> {
    let headers = request.headers().clone();
    let form = form::read(request)
        .await
        .map_err(|reason| refusal(Refusal::Page(reason)))?;
    let cookie = cookie::check_form(&headers, &form, &ctx.settings)
        .ok_or_else(|| page(StatusCode::FORBIDDEN, pages::error(FOREIGN_FORM), None))?;
    let params = form::read_query(form.get("request")).map_err(|reason| refusal(Refusal::Page(reason)))?;
    Ok((cookie, form, params))
}

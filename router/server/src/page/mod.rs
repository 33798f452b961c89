//! What browsers get at the endpoint: GraphiQL where `page.enabled` is set, else a note that tells where they are.
//!
//! Everything of it is at the endpoint's own address, told apart by `?page=`, so that it works at any path and behind
//! any proxy that lets GraphQL through. What it consists of is built in `router/server/page`, kept compressed, and
//! loads nothing from elsewhere.

mod assets;
mod document;
mod landing;
mod login;
mod plan;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use self::assets::Asset;
use self::document::Document;
use self::login::Login;
use crate::config::PageConfig;
use crate::errors::Refusal;
use crate::gateway::Gateway;
use crate::http::graphql::Answer;
use crate::http::intake::RequestBody;
use crate::http::{Reply, negotiate};
use crate::subgraphs::Client;
use crate::traffic::Peer;

/// The page of a gateway that shows one.
pub struct Page {
    document: Document,
    plan: bool,
    login: Option<Login>,
}

/// What is asked of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Somebody opened the endpoint, and there is no page.
    Landing,
    /// Somebody opened the page.
    Document,
    /// A part of it.
    Asset(&'static Asset),
    /// Where a login begins.
    Login,
    /// Tokens, for a code or a refresh token.
    Token,
    /// How an operation would be answered.
    Plan,
}

impl Page {
    /// The page that a configuration asks for.
    pub fn new(config: &PageConfig, client: &Client) -> Option<Page> {
        config.enabled.then(|| Page {
            document: Document::new(config),
            plan: config.plan,
            login: config.login.as_ref().map(|login| Login::new(login, client)),
        })
    }
}

/// What a request asks of the page; `None` for GraphQL requests, and that soon.
pub fn task(gateway: &Gateway, parts: &Parts) -> Option<Task> {
    match (&parts.method, &gateway.page) {
        (&Method::POST, Some(page)) => match part(parts)? {
            "plan" if page.plan => Some(Task::Plan),
            "token" if page.login.is_some() => Some(Task::Token),
            _ => None,
        },
        (&Method::GET, Some(page)) => match part(parts) {
            Some("login") if page.login.is_some() => Some(Task::Login),
            Some(name) => assets::named(name).map(Task::Asset),
            None => negotiate::prefers_html(&parts.headers).then_some(Task::Document),
        },
        // Whoever asks for something in the address is no lost visitor.
        (&Method::GET, None) if parts.uri.query().is_none() => {
            negotiate::prefers_html(&parts.headers).then_some(Task::Landing)
        }
        _ => None,
    }
}

/// Does what is asked.
pub async fn serve<B: RequestBody>(
    gateway: &Arc<Gateway>,
    task: Task,
    peer: Option<Peer>,
    parts: &Parts,
    body: B,
) -> Result<Answer, Refusal> {
    let page = gateway.page.as_ref();
    match (task, page, page.and_then(|page| page.login.as_ref())) {
        (Task::Asset(asset), ..) => Ok(asset.answer(&parts.headers)),
        (Task::Document, Some(page), _) => Ok(page.document.answer(&parts.headers)),
        (Task::Login, _, Some(login)) => login.begin().await,
        (Task::Token, _, Some(login)) => login.token(gateway, peer, parts, body).await,
        (Task::Plan, ..) => plan::answer(gateway, peer, parts, body).await,
        (Task::Landing | Task::Document | Task::Login | Task::Token, ..) => Ok(landing::answer()),
    }
}

/// Which part of the page a request names.
fn part(parts: &Parts) -> Option<&str> {
    let mut pairs = parts.uri.query()?.split('&');
    pairs.find_map(|pair| pair.strip_prefix("page="))
}

/// How each document for browsers begins, up to the title in its head.
fn head(title: &str) -> String {
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"robots\" content=\"noindex\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>{title}</title>
"
    )
}

/// An answer of the page with what all of them carry.
fn reply(status: StatusCode, kind: &'static str, caching: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Reply::Whole(Full::new(body.into())));
    *response.status_mut() = status;
    let fixed = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, caching),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // An address may hold a code of a login.
        (REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    reply(status, "application/json; charset=utf-8", "no-store", body)
}

fn vary(headers: &mut HeaderMap, by: &'static str) {
    headers.insert(VARY, HeaderValue::from_static(by));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_named_by_the_query_string() {
        let of = |uri: &str| {
            let request = http::Request::get(uri).body(()).expect("a request");
            let (parts, ()) = request.into_parts();
            part(&parts).map(str::to_owned)
        };
        assert_eq!(of("/graphql"), None);
        assert_eq!(of("/graphql?query={a}"), None);
        assert_eq!(of("/graphql?page=page.js&v=1"), Some("page.js".to_owned()));
        assert_eq!(of("/graphql?homepage=1"), None);
    }
}

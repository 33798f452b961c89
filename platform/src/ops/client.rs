//! The gateway, asked as an operator.
use anyhow::{Context, Result, bail, ensure};
use hyper::Request;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::basic::BasicClient;
use oauth2::{ClientId, ClientSecret, Scope, TokenResponse, TokenUrl};
use serde_json::{Value, json};
use url::Url;

use super::args::Access;
use crate::login::{http, token_endpoint};

/// Scope of an operator.
const OPERATOR: &str = "operator";

/// The gateway and the right to ask it.
pub(super) struct Gateway {
    url: Url,
    token: String,
}

/// An answer of which a part may be missing.
pub(super) struct Answer {
    /// `data`; null where nothing could be had.
    pub data: Value,
    /// The errors' messages, each with its code.
    pub errors: Vec<String>,
}

impl Gateway {
    /// With the token that is given, or one for the client that is.
    pub async fn of(access: &Access) -> Result<Gateway> {
        let token = match (&access.token, &access.client_id, &access.client_secret) {
            (Some(token), ..) => token.trim().to_owned(),
            (None, Some(id), Some(secret)) => client_token(&access.issuer, id, secret).await?,
            (None, Some(_), None) => bail!("a client needs its secret: set BAEDAL_CLIENT_SECRET"),
            (None, None, _) => bail!(
                "this needs an access token of scope `operator`: export BAEDAL_TOKEN=$(baedal login --scopes openid,operator), \
                 or set BAEDAL_CLIENT_ID and BAEDAL_CLIENT_SECRET (with the demo accounts: BAEDAL_TOKEN=$(baedal token --as operator))"
            ),
        };
        Ok(Gateway {
            url: access.gateway_url.clone(),
            token,
        })
    }

    /// What the gateway answers, errors and all.
    pub async fn ask(&self, query: &str, variables: Value) -> Result<Answer> {
        let body = serde_json::to_vec(&json!({ "query": query, "variables": variables }))?;
        let request = Request::post(self.url.as_str())
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(CONTENT_TYPE, "application/json")
            .header(
                ACCEPT,
                "application/graphql-response+json, application/json;q=0.9",
            )
            .body(body)
            .context("the token cannot be put in a header: is it one line?")?;
        let answer = http::send(request).await.with_context(|| {
            format!(
                "no gateway answers at {}; start it, or name another with --gateway",
                self.url
            )
        })?;
        let status = answer.status();
        let body: Value = serde_json::from_slice(answer.body()).with_context(|| {
            format!(
                "{} answered {status} and no JSON: is it the GraphQL endpoint?",
                self.url
            )
        })?;
        let errors = errors(&body);
        if let Some(refusal) = errors.iter().find(|(_, code)| is_refusal(code)) {
            bail!("{}{}", refusal.0, advice(&refusal.1));
        }
        Ok(Answer {
            data: body["data"].clone(),
            errors: errors
                .into_iter()
                .map(|(message, code)| format!("{message} ({code})"))
                .collect(),
        })
    }

    /// `data` of an operation that must succeed as a whole.
    pub async fn data(&self, query: &str, variables: Value) -> Result<Value> {
        let answer = self.ask(query, variables).await?;
        ensure!(answer.errors.is_empty(), "{}", answer.errors.join("; "));
        Ok(answer.data)
    }

    /// What the gateway says of its own readiness, if it says it.
    pub async fn readiness(&self) -> Option<Value> {
        let url = self.url.join("/health/ready").ok()?;
        let request = Request::get(url.as_str()).body(Vec::new()).ok()?;
        let answer = http::send(request).await.ok()?;
        serde_json::from_slice(answer.body()).ok()
    }
}

fn errors(body: &Value) -> Vec<(String, String)> {
    let list = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    list.iter()
        .map(|error| (text(&error["message"]), text(&error["extensions"]["code"])))
        .collect()
}

/// Errors that no other question would be spared.
fn is_refusal(code: &str) -> bool {
    matches!(
        code,
        "UNAUTHENTICATED" | "FORBIDDEN" | "INVALID_TOKEN" | "UNAUTHORIZED_FIELD_OR_TYPE"
    )
}

fn advice(code: &str) -> &'static str {
    match code {
        "FORBIDDEN" | "UNAUTHORIZED_FIELD_OR_TYPE" => {
            " (FORBIDDEN): the token has no scope `operator`; log in as an operator, with --scopes openid,operator"
        }
        _ => {
            " (UNAUTHENTICATED): the token is not good or no longer; get another with baedal login --scopes openid,operator"
        }
    }
}

/// A token of the client's own (RFC 6749 section 4.4).
async fn client_token(issuer: &str, id: &str, secret: &str) -> Result<String> {
    let client = BasicClient::new(ClientId::new(id.to_owned()))
        .set_client_secret(ClientSecret::new(secret.to_owned()))
        .set_token_uri(TokenUrl::new(token_endpoint(issuer).await?)?);
    let answer = client
        .exchange_client_credentials()
        .add_scope(Scope::new(OPERATOR.to_owned()))
        .request_async(&http::send)
        .await
        .with_context(|| {
            format!("the auth server gives the client {id} no token of scope operator: check its secret, grants and scopes")
        })?;
    Ok(answer.access_token().secret().clone())
}

//! A GraphQL client of the gateway or a subgraph.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// Sends operations to one endpoint, as one caller.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    /// A client without a token.
    pub fn new(url: impl Into<String>) -> Client {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            // A server that stops closes what is unused, and a request just sent there would be lost: nothing is kept
            // for longer than a server that leaves goes on serving.
            .pool_idle_timeout(Duration::from_secs(1))
            .build()
            .expect("a client without TLS");
        Client {
            http,
            url: url.into(),
            token: None,
        }
    }

    /// The same client that waits no longer than this for an answer.
    pub fn within(&self, patience: Duration) -> Client {
        let http = reqwest::Client::builder().timeout(patience).build();
        Client {
            http: http.expect("a client without TLS"),
            ..self.clone()
        }
    }

    /// The same client with this access token.
    pub fn with_token(&self, token: impl Into<String>) -> Client {
        Client {
            token: Some(token.into()),
            ..self.clone()
        }
    }

    /// The access token in use.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// HTTP status and body of an operation's answer.
    ///
    /// # Errors
    /// The endpoint does not answer JSON.
    pub async fn send(&self, query: &str, variables: Value) -> Result<(u16, Value)> {
        let (status, _, body) = self.send_whole(query, variables).await?;
        Ok((status, body))
    }

    /// The same, with the headers of the answer.
    ///
    /// # Errors
    /// The endpoint does not answer JSON.
    pub async fn send_whole(&self, query: &str, variables: Value) -> Result<(u16, HeaderMap, Value)> {
        let mut request = self
            .http
            .post(&self.url)
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).with_context(|| format!("{status} {text}"))?;
        Ok((status, headers, body))
    }

    /// The `data` of an operation that must have no errors.
    ///
    /// # Errors
    /// Any error in the answer.
    pub async fn data(&self, query: &str, variables: Value) -> Result<Value> {
        let (status, mut body) = self.send(query, variables).await?;
        ensure!(body.get("errors").is_none(), "{status} {body}");
        Ok(body["data"].take())
    }

    /// The first error's code of an operation that must fail.
    ///
    /// # Errors
    /// An answer without errors.
    pub async fn code(&self, query: &str, variables: Value) -> Result<String> {
        let (status, body) = self.send(query, variables).await?;
        let code = body["errors"][0]["extensions"]["code"].as_str();
        code.map(str::to_owned)
            .with_context(|| format!("no coded error: {status} {body}"))
    }
}

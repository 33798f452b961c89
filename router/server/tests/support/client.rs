//! An HTTP client for the gateway.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// Sends requests to one endpoint.
pub struct Client {
    pub url: String,
    http: reqwest::Client,
    headers: HeaderMap,
}

/// A response, read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Client {
    pub fn new(url: String) -> Client {
        Client {
            url,
            http: reqwest::Client::new(),
            headers: HeaderMap::new(),
        }
    }

    /// Adds a header to every request. Without `accept`, the status of an answer is to tell how it went.
    pub fn header(mut self, name: &str, value: &str) -> Client {
        let name: HeaderName = name.parse().expect("a header name");
        self.headers.append(
            name,
            HeaderValue::from_bytes(value.as_bytes()).expect("a header value"),
        );
        self
    }

    pub fn bearer(self, token: &str) -> Client {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub async fn query(&self, query: &str) -> Answer {
        self.post(json!({"query": query})).await
    }

    pub async fn with_variables(&self, query: &str, variables: Value) -> Answer {
        self.post(json!({"query": query, "variables": variables})).await
    }

    pub async fn post(&self, body: Value) -> Answer {
        self.send(
            self.http
                .post(&self.url)
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
        .await
    }

    /// Posts bytes with a content type.
    pub async fn post_raw(&self, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.send(
            self.http
                .post(&self.url)
                .header("content-type", content_type)
                .body(body),
        )
        .await
    }

    /// Gets with a query string.
    pub async fn get(&self, pairs: &[(&str, &str)]) -> Answer {
        let mut url = reqwest::Url::parse(&self.url).expect("a URL");
        url.query_pairs_mut().extend_pairs(pairs);
        self.send(self.http.get(url)).await
    }

    /// Any method, no body.
    pub async fn method(&self, method: &str) -> Answer {
        self.send(self.http.request(method.parse().expect("a method"), &self.url))
            .await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let mut request = request;
        if !self.headers.contains_key("accept") {
            request = request.header("accept", "application/graphql-response+json");
        }
        let response = request
            .headers(self.headers.clone())
            .send()
            .await
            .expect("an HTTP response");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.expect("a body");
        Answer {
            status,
            headers,
            body: serde_json::from_str(&body).unwrap_or(Value::String(body)),
        }
    }
}

impl Answer {
    /// The data of an answer without errors.
    pub fn data(&self) -> &Value {
        assert!(self.body.get("errors").is_none(), "{self:?}");
        &self.body["data"]
    }

    pub fn errors(&self) -> &[Value] {
        self.body["errors"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The code of the first error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

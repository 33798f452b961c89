//! The gateway's part in a login on the page: what is known of the issuer, and the way to its token endpoint.
//!
//! The page runs the flow itself (authorization code with PKCE); the gateway only carries its requests for tokens, for
//! the one client that is configured. So issuers need not allow requests of foreign pages (CORS), the page may talk to
//! its own origin alone, and nothing is kept here.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::request::Parts;
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use url::Url;
use url::form_urlencoded::Serializer;

use super::json;
use crate::config::{DISCOVERY, LoginConfig, is_safe};
use crate::errors::{Code, Refusal};
use crate::gateway::Gateway;
use crate::http::csrf;
use crate::http::graphql::Answer;
use crate::http::intake::{self, RequestBody};
use crate::jwt::Caller;
use crate::subgraphs::Client;
use crate::traffic::{Peer, Who};

/// Longest time for one request to the issuer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long an issuer's metadata are believed.
const FRESH: Duration = Duration::from_secs(300);

/// Logins with one issuer.
pub struct Login {
    config: LoginConfig,
    client: Client,
    metadata: Mutex<Option<(Instant, Metadata)>>,
}

/// What matters here of an issuer's metadata (OpenID Connect Discovery, section 3).
#[derive(Debug, Clone, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
}

/// What the page is told of the issuer.
#[derive(Serialize)]
struct Begin<'a> {
    authorization_endpoint: &'a Url,
    client_id: &'a str,
    scopes: &'a [String],
}

/// What the page asks for.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Grant {
    Code {
        code: String,
        code_verifier: String,
        redirect_uri: String,
    },
    Refresh {
        refresh_token: String,
    },
}

impl Login {
    /// Nothing is known of the issuer yet.
    pub fn new(config: &LoginConfig, client: &Client) -> Login {
        Login {
            config: config.clone(),
            client: client.clone(),
            metadata: Mutex::default(),
        }
    }

    /// Where a login begins.
    pub async fn begin(&self) -> Result<Answer, Refusal> {
        let metadata = self.known().await?;
        let begin = Begin {
            authorization_endpoint: &metadata.authorization_endpoint,
            client_id: &self.config.client_id,
            scopes: &self.config.scopes,
        };
        let body = serde_json::to_vec(&begin).expect("strings are JSON");
        Ok(json(StatusCode::OK, body))
    }

    /// Tokens for what the body shows, or the issuer's refusal.
    pub async fn token<B: RequestBody>(
        &self,
        gateway: &Gateway,
        peer: Option<Peer>,
        parts: &Parts,
        body: B,
    ) -> Result<Answer, Refusal> {
        csrf::check_origin(&parts.headers, &gateway.config.csrf, &gateway.config.cors)?;
        let client = gateway.traffic.client(peer, &parts.headers);
        let anonymous = Caller::anonymous();
        let who = Who {
            caller: &anonymous,
            client: client.as_ref(),
        };
        gateway.traffic.admit(&who).await?;
        let body = intake::post_body(gateway, parts, body).await?;
        let _inside = gateway.traffic.enter().await?;
        let grant: Grant = serde_json::from_slice(&body).map_err(|_| {
            let message = "send code, code_verifier and redirect_uri, or refresh_token";
            Refusal::new(Code::BadRequest, message)
        })?;
        let endpoint = self.known().await?.token_endpoint;
        let url = uri(&endpoint)?;
        let form = self.form(&grant);
        let asked = self.client.post_form(&url, form.as_bytes(), TIMEOUT).await;
        let (status, answer) = asked.map_err(|error| unavailable(&format!("{endpoint}: {error}")))?;
        // OAuth answers in JSON, its refusals too (RFC 6749, section 5.2); a page of some proxy is nobody's business.
        if serde_json::from_slice::<serde::de::IgnoredAny>(&answer).is_err() {
            return Err(unavailable(&format!(
                "{endpoint}: answered {status} without JSON"
            )));
        }
        Ok(json(status, answer))
    }

    fn form(&self, grant: &Grant) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", &self.config.client_id);
        match grant {
            Grant::Code {
                code,
                code_verifier,
                redirect_uri,
            } => form
                .append_pair("grant_type", "authorization_code")
                .append_pair("code", code)
                .append_pair("code_verifier", code_verifier)
                .append_pair("redirect_uri", redirect_uri),
            Grant::Refresh { refresh_token } => form
                .append_pair("grant_type", "refresh_token")
                .append_pair("refresh_token", refresh_token),
        };
        form.finish()
    }

    /// The issuer's metadata, asked for when they are not fresh.
    async fn known(&self) -> Result<Metadata, Refusal> {
        let known = self.lock().clone();
        match known {
            Some((since, metadata)) if since.elapsed() < FRESH => return Ok(metadata),
            _ => {}
        }
        let found = self.discover().await.map_err(|why| unavailable(&why))?;
        *self.lock() = Some((Instant::now(), found.clone()));
        Ok(found)
    }

    /// Metadata of another issuer than the one asked is refused (section 4.3), and addresses that would leak a code.
    async fn discover(&self) -> Result<Metadata, String> {
        let issuer = &self.config.issuer;
        let url = format!("{}{DISCOVERY}", issuer.trim_end_matches('/'));
        let place: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
        let document = self.client.get(&place, TIMEOUT).await;
        let document = document.map_err(|error| format!("{url}: {error}"))?;
        let metadata: Metadata = serde_json::from_slice(&document)
            .map_err(|error| format!("{url} is not an issuer's metadata: {error}"))?;
        if metadata.issuer != *issuer {
            return Err(format!(
                "{url} is the metadata of another issuer, {}",
                metadata.issuer
            ));
        }
        match is_safe(&metadata.authorization_endpoint) && is_safe(&metadata.token_endpoint) {
            true => Ok(metadata),
            false => Err(format!("{url} names endpoints that are not https://")),
        }
    }

    /// A poisoned lock holds whole metadata: they are replaced at once.
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Metadata)>> {
        self.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn uri(url: &Url) -> Result<Uri, Refusal> {
    url.as_str()
        .parse()
        .map_err(|error| unavailable(&format!("{url}: {error}")))
}

/// The whole reason is for the log.
fn unavailable(why: &str) -> Refusal {
    tracing::warn!("a login on the page failed: {why}");
    let message = "the issuer of logins cannot be asked at the moment; the gateway's log says why";
    Refusal::new(Code::LoginUnavailable, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrafficConfig;

    fn login() -> Login {
        let config = LoginConfig {
            issuer: "https://login.example".to_owned(),
            client_id: "the page".to_owned(),
            scopes: vec!["openid".to_owned()],
        };
        Login::new(&config, &Client::new(&TrafficConfig::default()))
    }

    #[test]
    fn only_two_grants_of_one_client_are_carried() {
        let read = |text: &str| serde_json::from_str::<Grant>(text);
        let refresh = read(r#"{"refresh_token": "a&b=c"}"#).expect("a refresh token");
        let form = "client_id=the+page&grant_type=refresh_token&refresh_token=a%26b%3Dc";
        assert_eq!(login().form(&refresh), form);
        let code = read(r#"{"code": "c", "code_verifier": "v", "redirect_uri": "http://127.0.0.1/"}"#);
        let form = login().form(&code.expect("a code"));
        assert!(
            form.contains("grant_type=authorization_code") && form.contains("redirect_uri=http%3A%2F%2F127")
        );
        for bad in [
            r#"{"code": "c"}"#,
            r#"{"refresh_token": "r", "client_id": "other"}"#,
            r#"{"username": "u", "password": "p"}"#,
            "[]",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

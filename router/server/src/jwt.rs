//! From the `Authorization` header to a [`Caller`]: who asks, what they may see, and the token that travels on.
//!
//! A request without a token is anonymous; a bad token is refused, never anonymous. Keys come from each issuer's JWKS,
//! cached and refreshed by [`baedal_token::KeyCache`]. A token in the query string is never looked at.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use baedal_planner::Access;
use baedal_token::{Claims, FetchJwks, KeyCache, TokenError, Verifier};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{AuthConfig, DISCOVERY, IssuerConfig};
use crate::errors::{Code, Refusal};
use crate::policies::Policies;
use crate::revocation::{Alarm, Bell, Watched};
use crate::subgraphs::Client;

/// Longest time for one fetch of keys.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Who may come in: the configured issuers, or everyone.
pub struct Identity {
    issuers: Option<Vec<Issuer>>,
    required: bool,
    policies: Option<Policies>,
    /// Rings when the list of an issuer's revoked tokens has changed.
    bell: Bell,
}

struct Issuer {
    name: String,
    verifier: Verifier,
    keys: KeyCache<JwksClient>,
    revoked: Option<Arc<Watched>>,
}

struct JwksClient(Client);

impl FetchJwks for JwksClient {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, String> {
        let keys_url = match url.strip_suffix(DISCOVERY) {
            Some(issuer) => self.discover(url, issuer).await?,
            None => url.to_owned(),
        };
        self.get(&keys_url).await.map(Into::into)
    }
}

/// What matters here of an issuer's metadata (OpenID Connect Discovery, section 3).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl JwksClient {
    async fn get(&self, url: &str) -> Result<Bytes, String> {
        let url = url.parse().map_err(|error| format!("`{url}`: {error}"))?;
        self.0
            .get(&url, FETCH_TIMEOUT)
            .await
            .map_err(|error| format!("{url}: {error}"))
    }

    /// Metadata of another issuer than the one asked is refused (section 4.3).
    async fn discover(&self, url: &str, issuer: &str) -> Result<String, String> {
        let metadata: Metadata = serde_json::from_slice(&self.get(url).await?)
            .map_err(|error| format!("{url} is not an issuer's metadata: {error}"))?;
        if metadata.issuer.trim_end_matches('/') != issuer {
            return Err(format!("{url} is the metadata of another issuer"));
        }
        Ok(metadata.jwks_uri)
    }
}

/// Who sent a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the token says; `None` for an anonymous caller.
    pub claims: Option<Claims>,
    /// What authorization directives let this caller see.
    pub access: Access,
    /// The verified token, as it travels on to subgraphs.
    pub authorization: Option<HeaderValue>,
}

impl Identity {
    /// Without `auth`, everyone comes in and sees everything.
    pub fn new(auth: Option<&AuthConfig>, client: &Client) -> Identity {
        let bell = Bell::default();
        Identity::made(auth, client, bell.clone(), |issuer| {
            Watched::new(issuer, client, &bell)
        })
    }

    /// The same for another configuration: what is known to be revoked stays so.
    pub fn changed(&self, auth: Option<&AuthConfig>, client: &Client) -> Identity {
        Identity::made(auth, client, self.bell.clone(), |issuer| {
            let known = self.lists().find(|list| list.is_of(issuer));
            known
                .cloned()
                .or_else(|| Watched::new(issuer, client, &self.bell))
        })
    }

    fn made(
        auth: Option<&AuthConfig>,
        client: &Client,
        bell: Bell,
        list: impl Fn(&IssuerConfig) -> Option<Arc<Watched>>,
    ) -> Identity {
        let issuer = |config: &IssuerConfig| Issuer::new(config, client, list(config));
        Identity {
            issuers: auth.map(|auth| auth.issuers.iter().map(issuer).collect()),
            required: auth.is_some_and(|auth| auth.required),
            policies: auth.and_then(Policies::new),
            bell,
        }
    }

    /// The lists of revoked tokens that issuers publish.
    pub fn lists(&self) -> impl Iterator<Item = &Arc<Watched>> {
        let issuers = self.issuers.iter().flatten();
        issuers.filter_map(|issuer| issuer.revoked.as_ref())
    }

    /// Keeps them up to date, in tasks that end when the gateway closes.
    pub fn keep_lists(&self, tasks: &TaskTracker, closing: &CancellationToken) {
        for keeping in self.lists().filter_map(|list| list.keep(closing.clone())) {
            tasks.spawn(keeping);
        }
    }

    /// Rings when it is to be asked again whether somebody's token is revoked.
    pub fn alarm(&self) -> Alarm {
        match self.lists().next() {
            Some(_) => self.bell.alarm(),
            None => Alarm::never(),
        }
    }

    /// Whether the token of somebody who was let in is revoked by now.
    pub fn is_revoked(&self, caller: &Caller) -> bool {
        caller.claims.as_ref().is_some_and(|claims| {
            let mut issuers = self.issuers.iter().flatten();
            let issuer = issuers.find(|issuer| issuer.name == claims.iss);
            issuer.is_some_and(|issuer| issuer.has_revoked(claims))
        })
    }

    /// Whether there is no `auth` at all.
    pub fn is_open(&self) -> bool {
        self.issuers.is_none()
    }

    /// Whether this caller may ask for anything at all.
    pub fn admits(&self, caller: &Caller) -> Result<(), Refusal> {
        if self.required && caller.claims.is_none() {
            let message = "this graph is for known callers only: send `Authorization: Bearer …`";
            return Err(Refusal::new(Code::TokenRequired, message));
        }
        Ok(())
    }

    /// Whether there may be a caller with this policy.
    pub fn may_grant(&self, policy: &str) -> bool {
        self.policies
            .as_ref()
            .is_some_and(|policies| policies.may_grant(policy))
    }

    /// Fetches keys ahead of the first request; a failure is tried again then.
    pub async fn warm_up(&self) {
        for list in self.lists() {
            list.look().await;
        }
        for issuer in self.issuers.iter().flatten() {
            issuer.keys.refresh(now()).await;
            if let Some(error) = issuer.keys.last_error() {
                tracing::warn!(
                    issuer = issuer.name,
                    error,
                    "the keys of this issuer cannot be had yet; will try again"
                );
            }
        }
    }

    /// Issuers whose keys are not at hand: for readiness detail.
    pub fn without_keys(&self) -> Vec<&str> {
        let issuers = self.issuers.iter().flatten();
        issuers
            .filter(|issuer| !issuer.keys.is_ready(now()))
            .map(|issuer| issuer.name.as_str())
            .collect()
    }

    /// The caller of an HTTP request (or WebSocket upgrade).
    pub async fn of_headers(&self, headers: &HeaderMap) -> Result<Caller, TokenError> {
        let values = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
        let value = baedal_token::http::single(values)?;
        self.of_value(value).await
    }

    /// The caller with this `Authorization` value.
    pub async fn of_value(&self, value: Option<&str>) -> Result<Caller, TokenError> {
        let Some(issuers) = &self.issuers else {
            return Ok(Caller {
                claims: None,
                access: Access::unrestricted(),
                authorization: None,
            });
        };
        let Some(value) = value else {
            return Ok(Caller::anonymous());
        };
        let token = baedal_token::http::bearer(value)?;
        let issuer = choose(issuers, token)?;
        // Rarely it fetches keys, and then it is large: it must not be a part of every request.
        let checking = baedal_token::authenticate(Some(value), &issuer.keys, &issuer.verifier, now());
        let claims = Box::pin(checking).await?;
        if claims.as_ref().is_some_and(|claims| issuer.has_revoked(claims)) {
            return Err(TokenError::Revoked);
        }
        let authorization = HeaderValue::from_str(value).map_err(|_| TokenError::NotBearer)?;
        Ok(match claims {
            Some(claims) => {
                let granted = self
                    .policies
                    .as_ref()
                    .map(|policies| policies.of_token(token, &claims));
                Caller::with(claims, granted.unwrap_or_default(), authorization)
            }
            None => Caller::anonymous(),
        })
    }
}

impl Issuer {
    fn new(config: &IssuerConfig, client: &Client, revoked: Option<Arc<Watched>>) -> Issuer {
        Issuer {
            name: config.issuer.clone(),
            revoked,
            keys: KeyCache::for_algorithms(
                config.keys_url(),
                JwksClient(client.clone()),
                config.profile().algorithms,
            ),
            verifier: Verifier::new(&config.issuer, &config.audience).with_profile(config.profile()),
        }
    }

    fn has_revoked(&self, claims: &Claims) -> bool {
        self.revoked.as_ref().is_some_and(|list| list.covers(claims))
    }
}

impl Caller {
    /// Who shows no token.
    pub fn anonymous() -> Caller {
        Caller {
            claims: None,
            access: Access::default(),
            authorization: None,
        }
    }

    fn with(claims: Claims, policies: BTreeSet<String>, mut authorization: HeaderValue) -> Caller {
        authorization.set_sensitive(true);
        let scopes = claims.scope.iter().map(str::to_owned).collect();
        let access = Access::new(true, scopes, policies);
        Caller {
            claims: Some(claims),
            access,
            authorization: Some(authorization),
        }
    }

    /// Who it is; `None` without a token.
    pub fn subject(&self) -> Option<&str> {
        Some(self.claims.as_ref()?.sub.as_str())
    }

    /// How long this caller's token is still valid; `None` without a token.
    pub fn remaining(&self) -> Option<Duration> {
        let expires = Duration::from_secs(self.claims.as_ref()?.exp);
        Some(expires.saturating_sub(since_epoch()))
    }
}

/// The issuer that a token names. The name is not trusted, it only chooses the keys: the verifier compares it again.
fn choose<'a>(issuers: &'a [Issuer], token: &str) -> Result<&'a Issuer, TokenError> {
    match issuers {
        [only] => Ok(only),
        several => {
            let name = claimed_issuer(token).ok_or(TokenError::Malformed)?;
            several
                .iter()
                .find(|issuer| issuer.name == name)
                .ok_or(TokenError::Issuer)
        }
    }
}

fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        iss: String,
    }
    if token.len() > baedal_token::MAX_TOKEN {
        return None;
    }
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Named>(&payload)
        .ok()
        .map(|named| named.iss)
}

/// Seconds since 1970.
pub fn now() -> u64 {
    since_epoch().as_secs()
}

/// The only clock of the gateway that tells the date.
pub fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

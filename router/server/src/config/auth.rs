//! Section `auth`: whose access tokens are accepted, and what these look like.

use std::collections::BTreeMap;
use std::time::Duration;

use baedal_token::{Algorithm, Form, Profile};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::span::Span;
use super::{ConfigError, PolicyRule};

/// Who may come in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// Issuers whose access tokens are accepted.
    pub issuers: Vec<IssuerConfig>,
    /// Whether every operation needs a token. Otherwise callers without one are anonymous, and see what nothing forbids.
    #[serde(default)]
    pub required: bool,
    /// The claim that names the policies (`@policy`) a token is good for: an array, or words in a text.
    #[serde(default)]
    pub policies_claim: Option<String>,
    /// Policies that are granted by rules.
    #[serde(default)]
    pub policies: BTreeMap<String, PolicyRule>,
}

impl AuthConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.issuers.iter().try_for_each(IssuerConfig::check)?;
        self.policies.iter().try_for_each(|(name, rule)| rule.check(name))
    }
}

/// Where an issuer's metadata is (OpenID Connect Discovery, section 4).
pub const DISCOVERY: &str = "/.well-known/openid-configuration";

/// One issuer of access tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The `iss` claim, byte for byte.
    pub issuer: String,
    /// Where its keys are. Absent: where its `/.well-known/openid-configuration` says.
    #[serde(default)]
    pub jwks_url: Option<Url>,
    /// The `aud` claim tokens must carry.
    pub audience: String,
    /// What its tokens may be signed with: `ES256`, `EdDSA`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`.
    /// Nothing else is ever accepted, in particular no shared secret.
    #[serde(default = "usual_algorithms")]
    pub algorithms: Vec<String>,
    /// What its tokens look like.
    #[serde(default)]
    pub form: TokenForm,
    /// Where the list of its revoked tokens is. Absent: its tokens are good until they expire.
    #[serde(default)]
    pub revocation: Option<RevocationConfig>,
    /// The claim with the scopes: words in a text, with `form: jwt` also a list.
    #[serde(default = "usual_scope_claim")]
    pub scope_claim: String,
}

/// A list of tokens that an issuer has withdrawn before their end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationConfig {
    /// Where it is: a JSON object with any of `jti` (ids of tokens), `sid` (sessions or grants they came from) and `sub`
    /// (users, each with the second since 1970 before which their tokens were issued that are revoked).
    pub url: Url,
    /// How often it is asked for. A revoked token is taken for so long at most.
    #[serde(default = "usual_interval", with = "Span")]
    pub interval: Duration,
}

impl RevocationConfig {
    /// Asked for as often as is usual.
    pub fn at(url: Url) -> RevocationConfig {
        RevocationConfig {
            url,
            interval: usual_interval(),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let (url, interval) = (
            "auth.issuers[].revocation.url",
            "auth.issuers[].revocation.interval",
        );
        match () {
            () if !["http", "https"].contains(&self.url.scheme()) || !self.url.has_host() => {
                Err(ConfigError::value(url, "must be an http:// or https:// URL"))
            }
            () if self.interval < SHORTEST_INTERVAL => {
                Err(ConfigError::value(interval, "must be at least 100ms, e.g. 2s"))
            }
            () => Ok(()),
        }
    }
}

/// A list is not asked for more often.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

fn usual_interval() -> Duration {
    Duration::from_secs(2)
}

/// What an issuer's tokens look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenForm {
    /// RFC 9068: the header's `typ` is `at+jwt`, and `iat`, `jti` and `client_id` are there.
    #[default]
    Rfc9068,
    /// Any JWT with `iss`, `sub`, `aud` and `exp`. `audience` must then be one that the issuer's ID tokens do not have.
    Jwt,
}

fn usual_algorithms() -> Vec<String> {
    let usual = Profile::default().algorithms;
    usual
        .into_iter()
        .map(|algorithm| algorithm.name().to_owned())
        .collect()
}

fn usual_scope_claim() -> String {
    Profile::default().scope_claim
}

impl IssuerConfig {
    /// An issuer of tokens as RFC 9068 has them, for one audience.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> IssuerConfig {
        IssuerConfig {
            issuer: issuer.into(),
            jwks_url: None,
            audience: audience.into(),
            algorithms: usual_algorithms(),
            form: TokenForm::default(),
            scope_claim: usual_scope_claim(),
            revocation: None,
        }
    }

    /// Where the issuer's keys are, or the metadata that says so.
    pub fn keys_url(&self) -> String {
        match &self.jwks_url {
            Some(url) => url.to_string(),
            None => format!("{}{DISCOVERY}", self.issuer.trim_end_matches('/')),
        }
    }

    /// What its tokens must be like.
    pub fn profile(&self) -> Profile {
        let names = self.algorithms.iter();
        Profile {
            algorithms: names.filter_map(|name| Algorithm::of_name(name)).collect(),
            form: match self.form {
                TokenForm::Rfc9068 => Form::AccessToken,
                TokenForm::Jwt => Form::Jwt,
            },
            scope_claim: self.scope_claim.clone(),
        }
    }

    fn check_algorithms(&self) -> Result<(), ConfigError> {
        let known = |name: &String| Algorithm::of_name(name).is_some();
        if !self.algorithms.is_empty() && self.algorithms.iter().all(known) {
            return Ok(());
        }
        let all = Algorithm::ALL.map(Algorithm::name).join(", ");
        let why = format!("must be some of {all}: shared secrets and `none` are never accepted");
        Err(ConfigError::value("auth.issuers[].algorithms", &why))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_algorithms()?;
        self.revocation.as_ref().map_or(Ok(()), RevocationConfig::check)?;
        let why =
            "must be an http:// or https:// URL; set auth.issuers[].jwks_url when the issuer's name is none";
        match Url::parse(&self.keys_url()) {
            Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => Ok(()),
            _ => Err(ConfigError::value("auth.issuers[].jwks_url", why)),
        }
    }
}

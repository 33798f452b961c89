//! Who calls: the bearer token of a request, verified with the issuer's keys, becomes a [`Caller`] for the resolvers.

mod jwks;

use crate::{
    clock::{Clock, SystemClock},
    error::{FORBIDDEN, UNAUTHENTICATED, coded},
};
use async_graphql::{Context, Error};
use axum::http::{HeaderMap, header::AUTHORIZATION};
use baedal_token::{Claims, KeyCache, TokenError, Verifier, authenticate, http::single};
use jwks::IssuerKeys;
use std::{sync::Arc, time::Duration};

/// Verifies bearer tokens of one issuer.
pub struct Auth {
    cache: KeyCache<IssuerKeys>,
    verifier: Verifier,
    clock: Arc<dyn Clock>,
}

impl Auth {
    /// Trusts `issuer` (its URL) for tokens meant for `audience`. Its keys are found by discovery, when the first token
    /// comes.
    pub fn new(issuer: &str, audience: &str) -> Arc<Auth> {
        Auth::build(
            issuer,
            audience,
            IssuerKeys::discovered(issuer),
            Arc::new(SystemClock),
        )
    }

    /// [`Auth::new`] with the keys at a URL of their own: the issuer's public name may not lead there from inside.
    pub fn with_keys_at(issuer: &str, audience: &str, jwks_url: &str) -> Arc<Auth> {
        Auth::build(issuer, audience, IssuerKeys::at(jwks_url), Arc::new(SystemClock))
    }

    /// [`Auth::with_keys_at`] where the URL is given, else [`Auth::new`].
    pub fn of(issuer: &str, audience: &str, jwks_url: Option<&str>) -> Arc<Auth> {
        match jwks_url {
            Some(url) => Auth::with_keys_at(issuer, audience, url),
            None => Auth::new(issuer, audience),
        }
    }

    /// [`Auth::new`] by another clock.
    pub fn with_clock(issuer: &str, audience: &str, clock: Arc<dyn Clock>) -> Arc<Auth> {
        Auth::build(issuer, audience, IssuerKeys::discovered(issuer), clock)
    }

    fn build(issuer: &str, audience: &str, keys: IssuerKeys, clock: Arc<dyn Clock>) -> Arc<Auth> {
        let cache = KeyCache::new(issuer, keys);
        Arc::new(Auth {
            cache,
            verifier: Verifier::new(issuer, audience),
            clock,
        })
    }

    /// The caller by the `Authorization` header: none is anonymous, two or a bad one are an error.
    pub async fn caller_of(&self, headers: &HeaderMap) -> Result<Caller, TokenError> {
        let value = single(
            headers
                .get_all(AUTHORIZATION)
                .iter()
                .map(|value| value.as_bytes()),
        )?;
        self.caller_of_value(value).await
    }

    /// The caller by the value of one `Authorization` header.
    pub async fn caller_of_value(&self, value: Option<&str>) -> Result<Caller, TokenError> {
        let claims = authenticate(value, &self.cache, &self.verifier, self.now()).await?;
        Ok(claims.map_or(Caller::Anonymous, Caller::User))
    }

    /// How long this caller's token is still good; none for an anonymous caller, who has nothing that ends.
    pub fn time_left(&self, caller: &Caller) -> Option<Duration> {
        match caller {
            Caller::Anonymous => None,
            Caller::User(claims) => Some(Duration::from_secs(claims.exp.saturating_sub(self.now()))),
        }
    }

    /// Seconds since 1970.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.now_ms() / 1000).unwrap_or(0)
    }
}

/// Who sent the request.
#[derive(Debug, Clone)]
pub enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// The subject of a valid access token.
    User(Claims),
}

static ANONYMOUS: Caller = Caller::Anonymous;

impl Caller {
    /// The caller of the request that is being resolved.
    pub fn of<'a>(context: &Context<'a>) -> &'a Caller {
        context.data_opt::<Caller>().unwrap_or(&ANONYMOUS)
    }

    /// The claims of a caller who is logged in, whatever the scopes; else `UNAUTHENTICATED`.
    pub fn claims(&self) -> Result<&Claims, Error> {
        match self {
            Caller::User(claims) => Ok(claims),
            Caller::Anonymous => Err(coded(UNAUTHENTICATED, "log in first: this needs an access token")),
        }
    }

    /// The claims of a caller who has the scope; else `UNAUTHENTICATED` or `FORBIDDEN`.
    pub fn require(&self, scope: &str) -> Result<&Claims, Error> {
        self.require_any(&[scope])
    }

    /// The claims of a caller who has one of the scopes; else `UNAUTHENTICATED` or `FORBIDDEN`.
    pub fn require_any(&self, scopes: &[&str]) -> Result<&Claims, Error> {
        let claims = self.claims()?;
        if scopes.iter().any(|scope| claims.has_scope(scope)) {
            return Ok(claims);
        }
        Err(coded(
            FORBIDDEN,
            format!("this needs the scope {}", scopes.join(" or ")),
        ))
    }

    /// The caller is logged in and has the scope.
    pub fn has(&self, scope: &str) -> bool {
        matches!(self, Caller::User(claims) if claims.has_scope(scope))
    }

    /// The subject, where somebody is logged in.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Caller::User(claims) => Some(&claims.sub),
            Caller::Anonymous => None,
        }
    }
}

//! The claims of an access token (RFC 9068 section 2.2), read strictly.
//!
//! Times must be JSON integers in a sane range: a library that took strings or floats once skipped the check of them
//! altogether (CVE-2026-25537).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{Form, Profile, TokenError};

/// The last second of the year 9999; nothing of ours lives longer.
const LAST_SECOND: u64 = 253_402_300_799;

/// What a verified access token says. Built only by [`crate::Verifier::verify`] (or by hand in tests and servers).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The issuer, byte for byte as configured.
    pub iss: String,
    /// The user, or the client itself for client credentials.
    pub sub: String,
    /// Whom the token is for; at least one.
    pub aud: Vec<String>,
    /// Expiry, seconds since 1970.
    pub exp: u64,
    /// Issue time, seconds since 1970; 0 where a token of [`Form::Jwt`] does not say.
    pub iat: u64,
    /// The token's own id; empty where a token of [`Form::Jwt`] has none.
    pub jti: String,
    /// The OAuth client that asked for it; empty where a token of [`Form::Jwt`] does not say.
    pub client_id: String,
    /// What it may be used for.
    pub scope: Scopes,
    /// The login session or grant it came from, if any.
    pub sid: Option<String>,
}

impl Claims {
    /// Whether the token carries this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.contains(scope)
    }

    pub(crate) fn read(claims: &Map<String, Value>, profile: &Profile) -> Result<Claims, TokenError> {
        let form = profile.form;
        Ok(Claims {
            iss: text(claims, "iss")?,
            sub: text(claims, "sub")?,
            aud: audience(claims)?,
            exp: required_time(claims, "exp")?,
            iat: match form {
                Form::AccessToken => required_time(claims, "iat")?,
                Form::Jwt => time(claims, "iat")?.unwrap_or(0),
            },
            jti: text_or_none(claims, "jti", form)?,
            client_id: text_or_none(claims, "client_id", form)?,
            scope: scope(claims.get(&profile.scope_claim), form)?,
            sid: optional_text(claims, "sid")?,
        })
    }
}

/// A set of scope names, as in `scope` of RFC 6749 section 3.3.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Reads space-separated names.
    pub fn parse(text: &str) -> Scopes {
        Scopes(
            text.split(' ')
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Whether `scope` is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Whether every scope of `self` is in `other`.
    pub fn is_subset(&self, other: &Scopes) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The scopes in both.
    pub fn intersection(&self, other: &Scopes) -> Scopes {
        Scopes(self.0.intersection(&other.0).cloned().collect())
    }

    /// The names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

impl<S: Into<String>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Scopes {
        Scopes(names.into_iter().map(Into::into).collect())
    }
}

/// A time claim: absent is `None`; anything but an integer between 1 and the year 9999 is refused.
pub(crate) fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => match number.as_u64() {
            Some(seconds @ 1..=LAST_SECOND) => Ok(Some(seconds)),
            _ => Err(TokenError::Claim(name)),
        },
        Some(_) => Err(TokenError::Claim(name)),
    }
}

fn required_time(claims: &Map<String, Value>, name: &'static str) -> Result<u64, TokenError> {
    time(claims, name)?.ok_or(TokenError::Claim(name))
}

fn text(claims: &Map<String, Value>, name: &'static str) -> Result<String, TokenError> {
    optional_text(claims, name)?.ok_or(TokenError::Claim(name))
}

/// A text that only RFC 9068 requires.
fn text_or_none(claims: &Map<String, Value>, name: &'static str, form: Form) -> Result<String, TokenError> {
    match form {
        Form::AccessToken => text(claims, name),
        Form::Jwt => Ok(optional_text(claims, name)?.unwrap_or_default()),
    }
}

fn optional_text(claims: &Map<String, Value>, name: &'static str) -> Result<Option<String>, TokenError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(TokenError::Claim(name)),
    }
}

fn audience(claims: &Map<String, Value>) -> Result<Vec<String>, TokenError> {
    let refused = TokenError::Claim("aud");
    match claims.get("aud") {
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(many)) if !many.is_empty() => many
            .iter()
            .map(|one| one.as_str().map(str::to_owned).ok_or(refused))
            .collect(),
        _ => Err(refused),
    }
}

fn scope(claim: Option<&Value>, form: Form) -> Result<Scopes, TokenError> {
    match (claim, form) {
        (None, _) => Ok(Scopes::default()),
        (Some(Value::String(text)), _) => Ok(Scopes::parse(text)),
        (Some(Value::Array(names)), Form::Jwt) => names
            .iter()
            .map(|name| name.as_str().ok_or(TokenError::Claim("scope")))
            .collect(),
        (Some(_), _) => Err(TokenError::Claim("scope")),
    }
}

//! Under what an answer is kept: everything that it may depend on, hashed so that nobody can make two keys meet.

use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::forward::{Forwarded, REQUEST_ID, TRACEPARENT};

/// SHA-256 of what an answer depends on.
pub type Key = [u8; 32];

/// Hashes texts that must not run into each other.
#[derive(Clone)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Begins with what the key is for.
    pub fn of(purpose: &str) -> Hasher {
        let mut hasher = Hasher(Sha256::new());
        hasher.add(purpose.as_bytes());
        hasher
    }

    /// Adds a text, after its length.
    pub fn add(&mut self, text: &[u8]) {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
    }

    /// The same with a text added.
    pub fn with(&self, text: &[u8]) -> Hasher {
        let mut more = self.clone();
        more.add(text);
        more
    }

    /// The key.
    pub fn key(self) -> Key {
        self.0.finalize().into()
    }
}

/// What tells callers apart of a request that goes to subgraphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The headers that travel, but for the token.
    pub headers: Key,
    /// Who it is, by its token and cookies; of a caller without either it is that of nobody.
    pub identity: Key,
    /// Whether there is a token or a cookie.
    pub is_named: bool,
}

impl Caller {
    /// The caller whose headers these are. `claims`: those that tell verified tokens apart, if not all of the token.
    pub fn of(forwarded: &Forwarded, ignored: &[HeaderName], claims: &[String]) -> Caller {
        let (mut headers, mut identity) = (Hasher::of("headers"), Hasher::of("identity"));
        let mut is_named = false;
        for (name, value) in forwarded.all_fields() {
            if name == REQUEST_ID || name == TRACEPARENT || ignored.contains(&name) {
                continue;
            }
            let hasher = if name == AUTHORIZATION || name == COOKIE {
                is_named = true;
                &mut identity
            } else {
                &mut headers
            };
            hasher.add(name.as_str().as_bytes());
            match (name == AUTHORIZATION)
                .then(|| claimed(value.as_bytes(), claims))
                .flatten()
            {
                Some(who) => hasher.add(who.to_string().as_bytes()),
                None => hasher.add(value.as_bytes()),
            }
        }
        Caller {
            headers: headers.key(),
            identity: identity.key(),
            is_named,
        }
    }
}

/// The named claims of a token that was verified before, with its issuer; `None` if one of them is not there.
fn claimed(authorization: &[u8], claims: &[String]) -> Option<Value> {
    if claims.is_empty() {
        return None;
    }
    let all = payload(authorization)?;
    let named = claims.iter().map(String::as_str).chain(["iss"]);
    let taken = named.map(|name| Some((name.to_owned(), all.get(name)?.clone())));
    taken.collect::<Option<Map<_, _>>>().map(Value::Object)
}

fn payload(authorization: &[u8]) -> Option<Map<String, Value>> {
    use base64::Engine as _;
    let (_, token) = std::str::from_utf8(authorization).ok()?.split_once(' ')?;
    let payload = token.trim().split('.').nth(1)?;
    let json = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use baedal_telemetry::TraceContext;
    use base64::Engine as _;
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;
    use crate::forward::Rules;

    fn token(claims: &Value) -> String {
        let payload = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
        format!("Bearer head.{payload}.sign")
    }

    fn caller(headers: &[(&'static str, &str)], id: u64, claims: &[&str]) -> Caller {
        let mut request = HeaderMap::new();
        for (name, value) in headers {
            request.append(*name, HeaderValue::from_str(value).expect("a value"));
        }
        let named: Vec<HeaderName> = request.keys().cloned().collect();
        let id_value = HeaderValue::from_str(&id.to_string()).expect("a value");
        let trace = TraceContext::root(u128::from(id), id, false);
        let named = Rules::named(&named);
        let forwarded = Forwarded::new(&request, &named, &id_value, trace, None);
        let claims: Vec<String> = claims.iter().map(|claim| (*claim).to_owned()).collect();
        Caller::of(&forwarded, &[HeaderName::from_static("x-ignored")], &claims)
    }

    #[test]
    fn two_requests_of_one_caller_are_alike_and_those_of_two_are_not() {
        let plain = caller(&[], 1, &[]);
        assert_eq!(plain, caller(&[], 2, &[]), "ids make no difference");
        assert!(!plain.is_named);
        assert_eq!(plain, caller(&[("x-ignored", "a")], 1, &[]));
        let tenant = caller(&[("x-tenant", "a")], 1, &[]);
        assert_ne!(tenant.headers, plain.headers);
        assert_eq!(tenant.identity, plain.identity);
        let named = caller(&[("authorization", "Bearer a")], 1, &[]);
        assert!(named.is_named && named.identity != plain.identity && named.headers == plain.headers);
        assert_ne!(named, caller(&[("authorization", "Bearer b")], 1, &[]));
        assert!(caller(&[("cookie", "a=b")], 1, &[]).is_named);
        assert_ne!(
            caller(&[("x-a", "b"), ("x-c", "d")], 1, &[]).headers,
            caller(&[("x-a", "b\u{20}x-c: d")], 1, &[]).headers
        );
    }

    #[test]
    fn named_claims_tell_tokens_apart_and_nothing_else_does() {
        let of = |claims: Value, by: &[&str]| caller(&[("authorization", &token(&claims))], 1, by).identity;
        let by = &["sub"][..];
        let first = of(json!({"iss": "i", "sub": "a", "exp": 1}), by);
        assert_eq!(
            first,
            of(json!({"iss": "i", "sub": "a", "exp": 2}), by),
            "a refreshed token"
        );
        assert_ne!(first, of(json!({"iss": "i", "sub": "b", "exp": 1}), by));
        assert_ne!(
            first,
            of(json!({"iss": "other", "sub": "a", "exp": 1}), by),
            "another issuer's `a`"
        );
        let lacking = |exp: u64| of(json!({"iss": "i", "exp": exp}), by);
        assert_ne!(lacking(1), lacking(2), "without the claim the whole token counts");
        let whole = |exp: u64| of(json!({"iss": "i", "sub": "a", "exp": exp}), &[]);
        assert_ne!(whole(1), whole(2));
    }

    #[test]
    fn texts_do_not_run_into_each_other() {
        let key = |texts: &[&str]| {
            let mut hasher = Hasher::of("test");
            texts.iter().for_each(|text| hasher.add(text.as_bytes()));
            hasher.key()
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        assert_eq!(Hasher::of("x").with(b"y").key(), Hasher::of("x").with(b"y").key());
    }
}

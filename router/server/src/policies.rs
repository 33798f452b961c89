//! Which policies (`@policy`) a caller's token is good for: those that a claim names, and those whose rule it fulfils.

use std::collections::BTreeSet;

use baedal_token::Claims;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::config::{AuthConfig, PolicyRule};

/// How policies are granted.
pub struct Policies {
    claim: Option<String>,
    rules: Vec<(String, PolicyRule)>,
}

impl Policies {
    /// As configured; `None` if none ever is.
    pub fn new(auth: &AuthConfig) -> Option<Policies> {
        let rules: Vec<_> = auth
            .policies
            .iter()
            .map(|(name, rule)| (name.clone(), rule.clone()))
            .collect();
        (auth.policies_claim.is_some() || !rules.is_empty()).then(|| Policies {
            claim: auth.policies_claim.clone(),
            rules,
        })
    }

    /// Whether there may be a caller with this policy.
    pub fn may_grant(&self, policy: &str) -> bool {
        self.claim.is_some() || self.rules.iter().any(|(name, _)| name == policy)
    }

    /// The policies of a token that has been verified.
    pub fn of_token(&self, token: &str, claims: &Claims) -> BTreeSet<String> {
        let Some(said) = payload(token) else {
            return BTreeSet::new();
        };
        let mut granted = BTreeSet::new();
        if let Some(value) = self.claim.as_ref().and_then(|claim| find(&said, claim)) {
            granted.extend(words(value));
        }
        let fulfilled = self.rules.iter().filter(|(_, rule)| fulfils(rule, claims, &said));
        granted.extend(fulfilled.map(|(name, _)| name.clone()));
        granted
    }
}

fn fulfils(rule: &PolicyRule, claims: &Claims, said: &Map<String, Value>) -> bool {
    let has_one = |(claim, wanted): (&String, &Vec<String>)| {
        let found = find(said, claim).map_or_else(Vec::new, words);
        found.iter().any(|word| wanted.contains(word))
    };
    rule.scopes.iter().all(|scope| claims.has_scope(scope)) && rule.claims.iter().all(has_one)
}

/// The claims of a token, those that mean something to the gateway alone among them.
fn payload(token: &str) -> Option<Map<String, Value>> {
    let text = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&text).ok()
}

/// A claim by its name, or else by a path with dots into objects.
fn find<'a>(said: &'a Map<String, Value>, claim: &str) -> Option<&'a Value> {
    said.get(claim).or_else(|| {
        let (first, rest) = claim.split_once('.')?;
        find(said.get(first)?.as_object()?, rest)
    })
}

/// The words of a claim: items of an array, or what spaces separate in a text (as in `scope`, RFC 6749 section 3.3).
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split_ascii_whitespace().map(str::to_owned).collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        Value::Number(_) | Value::Bool(_) => vec![value.to_string()],
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn granted(config: Value, said: &Value) -> Vec<String> {
        let mut config = config;
        config["issuers"] = json!([]);
        let config: AuthConfig = serde_json::from_value(config).expect("a configuration");
        let token = format!("e30.{}.sig", BASE64_URL_SAFE_NO_PAD.encode(said.to_string()));
        let scope = said["scope"].as_str().unwrap_or_default();
        let claims = Claims {
            iss: "i".into(),
            sub: "s".into(),
            aud: vec!["a".into()],
            exp: 1,
            iat: 0,
            jti: "j".into(),
            client_id: "c".into(),
            scope: baedal_token::Scopes::parse(scope),
            sid: None,
        };
        let policies = Policies::new(&config).expect("something is granted");
        policies.of_token(&token, &claims).into_iter().collect()
    }

    #[test]
    fn a_claim_names_policies_in_any_usual_form() {
        for (claim, said) in [
            ("policies", json!({"policies": ["a", "b", 3]})),
            ("policies", json!({"policies": "b  a"})),
            ("https://x.example/p", json!({"https://x.example/p": ["b", "a"]})),
            ("realm.roles", json!({"realm": {"roles": ["a", "b"]}})),
        ] {
            assert_eq!(
                granted(json!({"policies_claim": claim}), &said),
                ["a", "b"],
                "{said}"
            );
        }
        for said in [
            json!({}),
            json!({"policies": null}),
            json!({"policies": {"a": true}}),
        ] {
            assert!(
                granted(json!({"policies_claim": "policies"}), &said).is_empty(),
                "{said}"
            );
        }
    }

    #[test]
    fn a_rule_grants_only_when_all_of_it_holds() {
        let config =
            json!({"policies": {"p": {"scopes": ["x", "y"], "claims": {"role": ["admin", "chief"]}}}});
        for (said, expected) in [
            (json!({"scope": "y x z", "role": "chief"}), true),
            (json!({"scope": "y x", "role": ["clerk", "admin"]}), true),
            (json!({"scope": "x", "role": "admin"}), false),
            (json!({"scope": "x y", "role": "clerk"}), false),
            (json!({"scope": "x y"}), false),
        ] {
            assert_eq!(granted(config.clone(), &said) == ["p"], expected, "{said}");
        }
    }
}

//! What a record must be for a subscription: rules of the configuration with a caller's arguments and claims in them.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::config::BoundConfig;
use crate::jwt::Caller;

/// What a reference stands for.
enum Meant {
    /// A value.
    This(Value),
    /// An argument that is not given: nothing is asked.
    Nothing,
}

/// A claim that the caller's token does not have.
#[derive(Debug, PartialEq, Eq)]
pub struct NoClaim(pub String);

/// Rules without references.
#[derive(Debug, Default, PartialEq)]
pub struct Rules {
    /// The key that records must have.
    pub key: Option<Bytes>,
    all: Vec<Rule>,
}

#[derive(Debug, PartialEq)]
struct Rule {
    at: String,
    /// One of these must be there.
    wanted: Vec<Value>,
}

impl Rules {
    /// What is configured, for this caller and these arguments.
    pub fn of(
        config: &BoundConfig,
        arguments: &Map<String, Value>,
        caller: &Caller,
    ) -> Result<Rules, NoClaim> {
        let claims = claims(caller);
        let mean = |text: &Value| meant(text, arguments, &claims);
        let mut rules = Rules::default();
        if let Some(key) = &config.key
            && let Meant::This(key) = mean(&Value::from(key.as_str()))?
        {
            rules.key = Some(text(&key).into());
        }
        for rule in &config.r#where {
            let wanted = match (&rule.equals, &rule.r#in) {
                (Some(one), _) => match mean(one)? {
                    Meant::This(value) => vec![value],
                    Meant::Nothing => continue,
                },
                (None, list) => match mean(list.as_ref().unwrap_or(&Value::Null))? {
                    Meant::This(Value::Array(values)) => values,
                    Meant::This(value) => vec![value],
                    Meant::Nothing => continue,
                },
            };
            let at = rule.at.clone();
            rules.all.push(Rule { at, wanted });
        }
        Ok(rules)
    }

    /// Whether they all hold of a record's value.
    pub fn hold(&self, value: &Value) -> bool {
        self.all.iter().all(|rule| {
            let found = value.pointer(&rule.at).filter(|found| !found.is_null());
            found.is_some_and(|found| rule.wanted.iter().any(|wanted| same(wanted, found)))
        })
    }
}

fn meant(
    value: &Value,
    arguments: &Map<String, Value>,
    claims: &Map<String, Value>,
) -> Result<Meant, NoClaim> {
    let Value::String(text) = value else {
        return Ok(Meant::This(value.clone()));
    };
    if let Some(name) = text.strip_prefix("$args.") {
        let given = arguments.get(name).filter(|given| !given.is_null());
        return Ok(given.cloned().map_or(Meant::Nothing, Meant::This));
    }
    if let Some(name) = text.strip_prefix("$claims.") {
        let claim = claims.get(name).filter(|claim| !claim.is_null());
        return claim
            .cloned()
            .map(Meant::This)
            .ok_or_else(|| NoClaim(name.to_owned()));
    }
    Ok(Meant::This(value.clone()))
}

/// An id is the same whether it is written as a number or as a text.
fn same(one: &Value, other: &Value) -> bool {
    let mixed = matches!(
        (one, other),
        (Value::String(_), Value::Number(_)) | (Value::Number(_), Value::String(_))
    );
    one == other || (mixed && text(one) == text(other))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// All claims of the caller's token. It was verified when it came in, so it only has to be read.
fn claims(caller: &Caller) -> Map<String, Value> {
    let read = || {
        let token = baedal_token::http::bearer(caller.authorization.as_ref()?.to_str().ok()?).ok()?;
        let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice(&payload).ok()
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use baedal_planner::Access;
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn caller(claims: Option<Value>) -> Caller {
        let token = |claims: Value| {
            let payload = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
            HeaderValue::from_str(&format!("Bearer a.{payload}.c")).expect("a header")
        };
        Caller {
            claims: None,
            access: Access::default(),
            authorization: claims.map(token),
        }
    }

    fn config(text: &str) -> BoundConfig {
        let text = format!("{{ field: moved, broker: main, topic: moves, {text} }}");
        serde_norway::from_str(&text).expect("a binding")
    }

    fn rules(text: &str, arguments: Value, claims: Option<Value>) -> Result<Rules, NoClaim> {
        let Value::Object(arguments) = arguments else {
            panic!("an object")
        };
        Rules::of(&config(text), &arguments, &caller(claims))
    }

    #[test]
    fn arguments_and_claims_say_which_records_pass() {
        let text =
            "key: $args.id, where: [{ at: /to, equals: $claims.sub }, { at: /area/zone, in: $args.zones }]";
        let all = rules(
            text,
            json!({"id": 7, "zones": ["a", "b"]}),
            Some(json!({"sub": "ada"})),
        )
        .expect("rules");
        assert_eq!(all.key.as_deref(), Some(&b"7"[..]));
        for (value, holds) in [
            (json!({"to": "ada", "area": {"zone": "b"}}), true),
            (json!({"to": "ada", "area": {"zone": "c"}}), false),
            (json!({"to": "alan", "area": {"zone": "b"}}), false),
            (json!({"to": null, "area": {"zone": "b"}}), false),
            (json!({"area": {"zone": "b"}}), false),
            (json!({"to": ["ada"], "area": {"zone": "b"}}), false),
            (json!("ada"), false),
        ] {
            assert_eq!(all.hold(&value), holds, "{value}");
        }
    }

    #[test]
    fn an_argument_that_is_not_given_restricts_nothing_and_a_missing_claim_refuses() {
        let text = "key: $args.id, where: [{ at: /n, equals: $args.n }]";
        for absent in [json!({}), json!({"id": null, "n": null})] {
            let all = rules(text, absent, None).expect("rules");
            assert_eq!(all, Rules::default());
            assert!(all.hold(&json!({})));
        }
        let mine = "where: [{ at: /to, equals: $claims.sub }]";
        for claims in [None, Some(json!({"sub": null})), Some(json!({"name": "ada"}))] {
            assert_eq!(rules(mine, json!({}), claims), Err(NoClaim("sub".to_owned())));
        }
        let none = rules("where: [{ at: /n, in: $args.n }]", json!({"n": []}), None).expect("rules");
        assert!(!none.hold(&json!({"n": 1})), "of an empty list nothing is there");
    }

    #[test]
    fn ids_are_compared_as_texts_and_nothing_else_is() {
        assert!(same(&json!("7"), &json!(7)) && same(&json!(7), &json!("7")));
        assert!(!same(&json!("true"), &json!(true)) && !same(&json!("null"), &json!(null)));
        assert!(!same(&json!("7"), &json!(7.5)));
    }
}

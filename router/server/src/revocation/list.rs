//! What an issuer says is revoked.

use std::collections::{HashMap, HashSet};

use baedal_token::Claims;
use serde::Deserialize;

/// Tokens that are no good any more.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub struct List {
    #[serde(default)]
    jti: HashSet<Box<str>>,
    #[serde(default)]
    sid: HashSet<Box<str>>,
    /// Tokens of these users that were issued before this second.
    #[serde(default)]
    sub: HashMap<Box<str>, u64>,
}

/// Members of which a list has at least one: anything else is something else.
const MEMBERS: [&str; 3] = ["jti", "sid", "sub"];

impl List {
    /// Reads one.
    pub fn read(text: &str) -> Result<List, String> {
        let none = |why: &str| format!("it is no list of revoked tokens: {why}");
        let members: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|error| none(&error.to_string()))?;
        if !MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(none("it has none of `jti`, `sid` and `sub`"));
        }
        serde_json::from_value(members.into()).map_err(|error| none(&error.to_string()))
    }

    /// Whether a token with these claims is on it.
    pub fn covers(&self, claims: &Claims) -> bool {
        let of_session = |sid: &String| self.sid.contains(sid.as_str());
        self.jti.contains(claims.jti.as_str())
            || claims.sid.as_ref().is_some_and(of_session)
            || self
                .sub
                .get(claims.sub.as_str())
                .is_some_and(|before| claims.iat < *before)
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.jti.len() + self.sid.len() + self.sub.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(jti: &str, sid: Option<&str>, iat: u64) -> Claims {
        Claims {
            iss: "i".into(),
            sub: "ada".into(),
            aud: vec!["a".into()],
            exp: 2000,
            iat,
            jti: jti.into(),
            client_id: "c".into(),
            scope: baedal_token::Scopes::default(),
            sid: sid.map(str::to_owned),
        }
    }

    #[test]
    fn a_token_is_revoked_by_itself_its_session_or_its_user() {
        let list = r#"{"jti": ["1"], "sid": ["s"], "sub": {"ada": 1000, "alan": 5000}, "more": 1}"#;
        let list = List::read(list).expect("a list");
        assert_eq!(list.len(), 4);
        assert!(list.covers(&claims("1", None, 1500)));
        assert!(list.covers(&claims("2", Some("s"), 1500)));
        assert!(list.covers(&claims("2", None, 999)));
        assert!(
            list.covers(&claims("", None, 0)),
            "one that does not say when it was issued"
        );
        assert!(!list.covers(&claims("2", Some("t"), 1000)));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            "<html>",
            r#"{"keys": []}"#,
            r#"{"jti": [1]}"#,
            r#"{"sub": ["ada"]}"#,
        ] {
            assert!(List::read(text).is_err(), "{text}");
        }
        assert_eq!(List::read(r#"{"sid": []}"#), Ok(List::default()));
    }
}

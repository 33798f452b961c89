//! A configuration as it is shown: all keys with the values they have, but for secrets.

use serde_json::Value;
use url::Url;

use super::{Config, schema};

/// What stands for a secret.
const MASK: &str = "***";
/// Parts of names of keys that hold secrets, whatever the schema says.
const SECRET_NAMES: [&str; 5] = ["secret", "password", "token", "credential", "private_key"];

impl Config {
    /// Every key and its value. Secrets, and passwords in URLs, are masked.
    pub fn shown(&self) -> Value {
        let mut value = serde_json::to_value(self).expect("a configuration was read from what JSON can say");
        schema::visit(&mut value, &mut |path, node, value| {
            let Some(text) = value.as_str() else { return };
            let name = path.0.iter().rev().find_map(|step| match step {
                super::place::Step::Key(key) => Some(key.to_ascii_lowercase()),
                super::place::Step::Index(_) => None,
            });
            let named = name.is_some_and(|name| SECRET_NAMES.iter().any(|part| name.contains(part)));
            if (named && !node.is_file()) || node.is_secret() {
                *value = MASK.into();
            } else if let Some(masked) = without_password(text) {
                *value = masked.into();
            }
        });
        value
    }

    /// All files and folders that it names, with their keys.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut value = serde_json::to_value(self).expect("a configuration was read from what JSON can say");
        let found = schema::files(&mut value).into_iter();
        found.map(|(path, file)| (path.to_string(), file)).collect()
    }
}

/// A URL whose password, if it has one, is masked.
fn without_password(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok()?;
    url.password()?;
    url.set_password(Some(MASK)).ok()?;
    Some(url.to_string())
}

#[cfg(test)]
mod tests {

    #[test]
    fn passwords_in_urls_are_masked() {
        let text = "
subgraphs:
  a: { url: \"http://me:hunter2@a.example/g\" }
  b: { url: \"http://b.example/g\" }
headers: { propagate: [x-token] }
";
        let config = crate::config::parse(text, &|_| None).expect("reads");
        let shown = config.shown();
        assert_eq!(shown["subgraphs"]["a"]["url"], "http://me:***@a.example/g");
        assert_eq!(shown["subgraphs"]["b"]["url"], "http://b.example/g");
        assert_eq!(shown["headers"]["propagate"][0], "x-token");
        assert!(!shown.to_string().contains("hunter2"));
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let text = "
subgraphs: { a: { url: \"http://a.example/g\", timeout: 90s, traffic: { breaker: { window: 500ms } } } }
contract: { exclude: [internal] }
auth: { issuers: [{ issuer: \"https://login.example.com\", audience: shop }] }
traffic: { rate_limits: { per_client: { count: 5 } } }
errors: { extensions: [a] }
log: { slow: 2s }
";
        let config = crate::config::parse(text, &|_| None).expect("reads");
        let shown = serde_json::to_string(&config.shown()).expect("JSON");
        let again = crate::config::parse(&shown, &|_| None).expect(&shown);
        assert_eq!(again, config);
    }
}

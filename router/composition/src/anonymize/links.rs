//! What a schema calls the directives of the specifications: `@link` imports them, perhaps under other names.
//!
//! <https://specs.apollo.dev/link/v1.0/>

use std::collections::{HashMap, HashSet};

use super::tokens::{Kind, Token, content, tokens};
use crate::ingest::is_of_federation;

/// Where the specifications' features are.
const OURS: &str = "https://specs.apollo.dev/";
/// Directives of GraphQL itself, of `@defer`, and of the specifications besides federation's.
const OTHERS: [&str; 9] = [
    "skip",
    "include",
    "deprecated",
    "specifiedBy",
    "oneOf",
    "defer",
    "stream",
    "link",
    "core",
];
/// Prefixes of the specifications' names.
const PREFIXES: [&str; 4] = ["join", "link", "core", "federation"];

/// Names under which the specifications' directives are known.
#[derive(Debug, Default)]
pub struct Links {
    /// Name in the schema → name in the specification.
    renamed: HashMap<String, String>,
    /// Prefixes by which features of the specifications are known, besides their own.
    prefixes: HashSet<String>,
}

impl Links {
    /// As this schema says.
    pub fn of(schema: &str) -> Links {
        let all = tokens(schema);
        let mut links = Links::default();
        for (at, token) in all.iter().enumerate() {
            let is_open = all.get(at + 2).is_some_and(|open| open.is("("));
            if token.is("@") && is_open {
                links.read(&all[at + 3..]);
            }
        }
        links
    }

    /// Adds what another says.
    pub fn add(&mut self, other: Links) {
        self.renamed.extend(other.renamed);
        self.prefixes.extend(other.prefixes);
    }

    /// The specification's name of a directive; `None` for one of somebody else.
    pub fn canonical<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        if let Some(name) = self.renamed.get(name) {
            return Some(name);
        }
        if OTHERS.contains(&name) || name.starts_with("join__") || is_of_federation(name) {
            return Some(name);
        }
        let (prefix, rest) = name.split_once("__")?;
        let is_ours = PREFIXES.contains(&prefix) || self.prefixes.contains(prefix);
        is_ours.then_some(rest)
    }

    /// Arguments of a directive, if they are those of a link.
    fn read(&mut self, arguments: &[Token<'_>]) {
        let end = arguments.iter().position(|token| token.is(")"));
        let arguments = &arguments[..end.unwrap_or(arguments.len())];
        let Some(url) = argument(arguments, "url").filter(|url| url.starts_with(OURS)) else {
            return;
        };
        let identity = url
            .trim_end_matches('/')
            .rsplit_once("/v")
            .map_or(url.as_str(), |parts| parts.0);
        let feature = identity.rsplit('/').next().unwrap_or_default().to_owned();
        let prefix = argument(arguments, "as").filter(|_| !in_list(arguments, "as"));
        if let Some(prefix) = prefix.filter(|prefix| *prefix != feature) {
            self.renamed.insert(prefix.clone(), feature);
            self.prefixes.insert(prefix);
        }
        for (at, token) in arguments.iter().enumerate() {
            if token.is("{") {
                let end = arguments[at..].iter().position(|token| token.is("}"));
                let pair = &arguments[at..end.map_or(arguments.len(), |end| at + end)];
                if let (Some(name), Some(local)) = (argument(pair, "name"), argument(pair, "as")) {
                    let plain = |name: &str| name.trim_start_matches('@').to_owned();
                    self.renamed.insert(plain(&local), plain(&name));
                }
            }
        }
    }
}

/// Whether a URL is that of a specification.
pub fn is_ours(url: &str) -> bool {
    url.starts_with(OURS)
}

/// Whether a name is one that the specifications define with their prefix.
pub fn is_machinery(name: &str) -> bool {
    let prefix = name.split_once("__").map(|(prefix, _)| prefix);
    prefix.is_some_and(|prefix| prefix.is_empty() || PREFIXES.contains(&prefix))
}

/// What a string argument says.
pub fn argument(arguments: &[Token<'_>], name: &str) -> Option<String> {
    let found = arguments.windows(3).find(|three| {
        three[0].kind == Kind::Name
            && three[0].text == name
            && three[1].is(":")
            && three[2].kind == Kind::Text
    });
    found.map(|three| content(three[2].text))
}

/// Whether the first argument of this name is within a list.
fn in_list(arguments: &[Token<'_>], name: &str) -> bool {
    let at = arguments
        .iter()
        .position(|token| token.kind == Kind::Name && token.text == name);
    let before = &arguments[..at.unwrap_or_default()];
    let count = |sign: &str| before.iter().filter(|token| token.is(sign)).count();
    count("[") > count("]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_known_under_the_names_that_links_give_them() {
        let links = Links::of(
            r#"extend schema
              @link(url: "https://specs.apollo.dev/federation/v2.7", as: "fed", import: ["@shareable", {name: "@key", as: "@id"}])
              @link(url: "https://specs.apollo.dev/tag/v0.3", as: "mark")
              @link(url: "https://example.com/mine/v1.0", import: ["@mine"])"#,
        );
        assert_eq!(links.canonical("id"), Some("key"));
        assert_eq!(links.canonical("shareable"), Some("shareable"));
        assert_eq!(links.canonical("fed__requires"), Some("requires"));
        assert_eq!(links.canonical("federation__requires"), Some("requires"));
        assert_eq!(links.canonical("mark"), Some("tag"));
        assert_eq!(links.canonical("join__type"), Some("join__type"));
        assert_eq!(links.canonical("mine"), None);
    }
}

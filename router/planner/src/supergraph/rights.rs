//! What `@authenticated`, `@requiresScopes` and `@policy` ask of the caller.
use std::collections::BTreeSet;

use apollo_compiler::ast::{Directive, Value};

use super::links::Links;

/// Conditions of one type or field; all must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rights {
    pub authenticated: bool,
    /// Any of these sets of scopes; empty: no condition.
    pub scopes: Vec<Vec<String>>,
    /// Any of these sets of policies; empty: no condition.
    pub policies: Vec<Vec<String>>,
}

impl Rights {
    pub fn read<'a>(links: &Links, directives: impl Iterator<Item = &'a Directive>) -> Rights {
        let mut rights = Rights::default();
        for directive in directives {
            match links.auth(&directive.name) {
                Some("authenticated") => rights.authenticated = true,
                Some("requiresScopes") => rights.scopes = alternatives(directive, "scopes"),
                Some("policy") => rights.policies = alternatives(directive, "policies"),
                _ => {}
            }
        }
        rights
    }

    pub fn none(&self) -> bool {
        !self.authenticated && self.scopes.is_empty() && self.policies.is_empty()
    }
}

/// Everything that a supergraph asks of callers anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedRights {
    /// Something is only for callers who are known.
    pub authenticated: bool,
    /// Scopes of any condition.
    pub scopes: BTreeSet<String>,
    /// Policies of any condition.
    pub policies: BTreeSet<String>,
}

impl AskedRights {
    pub(super) fn add(&mut self, rights: &Rights) {
        self.authenticated |= rights.authenticated;
        self.scopes.extend(rights.scopes.iter().flatten().cloned());
        self.policies.extend(rights.policies.iter().flatten().cloned());
    }
}

fn alternatives(directive: &Directive, argument: &str) -> Vec<Vec<String>> {
    let Some(value) = directive.specified_argument_by_name(argument) else {
        return Vec::new();
    };
    let list = |value: &Value| match value {
        Value::List(items) => items
            .iter()
            .filter_map(|i| i.as_str().map(str::to_owned))
            .collect(),
        other => other.as_str().map(str::to_owned).into_iter().collect(),
    };
    match &**value {
        Value::List(items) => items.iter().map(|item| list(item)).collect(),
        _ => Vec::new(),
    }
}

/// The local names of the three directives.
pub(crate) fn is_auth_spec(name: &str) -> Option<&'static str> {
    match name {
        "authenticated" => Some("authenticated"),
        "requiresScopes" => Some("requiresScopes"),
        "policy" => Some("policy"),
        _ => None,
    }
}

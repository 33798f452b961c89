//! Which headers of a request travel on, and to whom.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::CLIENT_CERT;
use crate::config::{Config, Propagation};

/// The rules of a configuration.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// To all subgraphs.
    all: Vec<Rule>,
    /// To one besides.
    own: Vec<(Arc<str>, Vec<Rule>)>,
}

/// A header that travels on.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The header of the request.
    pub from: HeaderName,
    /// What it is called then.
    pub to: HeaderName,
    /// The value where there is none.
    pub default: Option<HeaderValue>,
}

impl Rules {
    /// The rules of a checked configuration.
    pub fn of(config: &Config) -> Rules {
        let mut all = rules(&config.headers.propagate);
        let tells = config.tls.as_ref().and_then(|tls| tls.client_auth.as_ref());
        if tells.is_some_and(|clients| clients.forward_certificate) {
            all.retain(|rule| rule.to != CLIENT_CERT);
            all.push(Rule::as_it_is(CLIENT_CERT));
        }
        let own = config.subgraphs.iter().filter_map(|(name, subgraph)| {
            let rules = rules(&subgraph.headers.propagate);
            (!rules.is_empty()).then(|| (name.as_str().into(), rules))
        });
        Rules {
            all,
            own: own.collect(),
        }
    }

    /// Those of headers that travel to all subgraphs under their own names.
    #[cfg(test)]
    pub fn named(names: &[HeaderName]) -> Rules {
        Rules {
            all: names.iter().cloned().map(Rule::as_it_is).collect(),
            own: Vec::new(),
        }
    }

    /// To all subgraphs.
    pub fn all(&self) -> &[Rule] {
        &self.all
    }

    /// To some of them only.
    pub fn own(&self) -> &[(Arc<str>, Vec<Rule>)] {
        &self.own
    }

    /// What headers are called when they travel.
    pub fn targets(&self) -> impl Iterator<Item = &HeaderName> {
        let own = self.own.iter().flat_map(|(_, rules)| rules);
        self.all.iter().chain(own).map(|rule| &rule.to)
    }

    /// Headers of a request that matter.
    pub fn sources(&self) -> impl Iterator<Item = &HeaderName> {
        let own = self.own.iter().flat_map(|(_, rules)| rules);
        self.all.iter().chain(own).map(|rule| &rule.from)
    }
}

impl Rule {
    fn as_it_is(name: HeaderName) -> Rule {
        Rule {
            from: name.clone(),
            to: name,
            default: None,
        }
    }

    /// The values that travel on of this request.
    pub fn values<'r>(&'r self, request: &'r HeaderMap) -> impl Iterator<Item = &'r HeaderValue> {
        let given = request.get_all(&self.from).iter();
        let default = self.default.iter().filter(|_| !request.contains_key(&self.from));
        given.chain(default)
    }
}

/// `Config::check` has refused names and values that are none.
fn rules(named: &[Propagation]) -> Vec<Rule> {
    let rule = |named: &Propagation| {
        Some(Rule {
            from: named.name.parse().ok()?,
            to: named.target().parse().ok()?,
            default: match &named.default {
                Some(value) => Some(HeaderValue::from_str(value).ok()?),
                None => None,
            },
        })
    };
    named.iter().filter_map(rule).collect()
}

//! `@link` and `@core`: which specifications a supergraph uses.
//! <https://specs.apollo.dev/link/v1.0/>, <https://specs.apollo.dev/core/v0.2/>
use std::collections::{HashMap, HashSet};

use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, Value};

use super::SupergraphError;
use super::rights::is_auth_spec;

/// Where the specifications are published that this gateway knows.
const HOME: &str = "https://specs.apollo.dev";
/// Specifications, with the versions of them that a supergraph may use for security or execution and be served.
const KNOWN: [(&str, &[&str]); 10] = [
    ("link", &["v1.0"]),
    ("core", &["v0.1", "v0.2"]),
    ("join", &["v0.1", "v0.2", "v0.3", "v0.4", "v0.5"]),
    ("inaccessible", &["v0.1", "v0.2"]),
    ("tag", &["v0.1", "v0.2", "v0.3"]),
    ("context", &["v0.1"]),
    ("cost", &["v0.1"]),
    ("authenticated", &["v0.1"]),
    ("requiresScopes", &["v0.1"]),
    ("policy", &["v0.1"]),
];

/// The linked specifications.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Prefixes of specifications' names.
    prefixes: HashSet<String>,
    /// Directives by the name they have here, to (specification, element); types by name.
    directives: HashMap<String, (String, String)>,
    types: HashSet<String>,
    pub join: String,
    /// It is join v0.1, which does not say which fields a subgraph knows besides those it resolves.
    pub is_join_0_1: bool,
}

impl Links {
    /// Whether a type is machinery that clients do not see.
    pub fn is_machinery(&self, name: &str) -> bool {
        self.types.contains(name) || self.is_prefixed(name)
    }

    /// Whether a directive is machinery that clients do not see.
    pub fn is_machinery_directive(&self, name: &str) -> bool {
        self.directives.contains_key(name) || self.is_prefixed(name)
    }

    fn is_prefixed(&self, name: &str) -> bool {
        let parts = name.split_once("__");
        parts.is_some_and(|(prefix, rest)| {
            !prefix.is_empty() && !rest.is_empty() && self.prefixes.contains(prefix)
        })
    }

    /// Whether a directive name is this specification's main directive.
    pub fn is(&self, directive: &str, spec: &str) -> bool {
        self.directives
            .get(directive)
            .is_some_and(|(s, e)| s == spec && e == spec)
    }

    /// `authenticated`, `requiresScopes` or `policy`, where the directive is one of them.
    pub fn auth(&self, directive: &str) -> Option<&'static str> {
        let (spec, element) = self.directives.get(directive)?;
        is_auth_spec(element).filter(|name| name == spec)
    }

    /// `cost` or `listSize`, where the directive is one of them: of the linked specification, or by its mere name where
    /// nothing is linked under it, as other compositions leave it.
    pub fn cost(&self, directive: &str) -> Option<&'static str> {
        let element = match self.directives.get(directive) {
            Some((spec, element)) => (spec == "cost").then_some(element.as_str()),
            None => match directive.split_once("__") {
                Some((prefix, element)) => self.is(prefix, "cost").then_some(element),
                None => Some(directive),
            },
        };
        ["cost", "listSize"]
            .into_iter()
            .find(|known| element == Some(known))
    }

    fn add(&mut self, link: &Link) {
        // A namesake from elsewhere means something else.
        let spec = if link.home { link.spec.as_str() } else { "" };
        let prefix = link.alias.clone().unwrap_or_else(|| link.spec.clone());
        self.prefixes.insert(prefix.clone());
        let main = (spec.to_owned(), link.spec.clone());
        self.directives.insert(prefix.clone(), main);
        for (element, local) in &link.imports {
            match (element.strip_prefix('@'), local.strip_prefix('@')) {
                (Some(element), Some(local)) => {
                    let element = (spec.to_owned(), element.to_owned());
                    self.directives.insert(local.to_owned(), element);
                }
                _ => _ = self.types.insert(local.clone()),
            }
        }
        if spec == "join" {
            self.join = prefix;
            self.is_join_0_1 = link.version == "v0.1";
        }
    }
}

struct Link {
    url: String,
    /// Whether it is a specification of [`HOME`].
    home: bool,
    spec: String,
    version: String,
    alias: Option<String>,
    imports: Vec<(String, String)>,
    purpose: Option<String>,
}

/// Reads the links of the schema definition; refuses what it would be unsafe to ignore.
pub(crate) fn read(schema: &Schema) -> Result<Links, SupergraphError> {
    let directives = &schema.schema_definition.directives;
    let all: Vec<(&str, Link)> = directives
        .iter()
        .filter_map(|d| Some((d.name.as_str(), link(d)?)))
        .collect();
    // The directive that links is itself linked, perhaps under another name.
    let bootstraps = |(name, link): &&(&str, Link)| {
        let own = link.alias.as_deref().unwrap_or(&link.spec);
        link.home && ["link", "core"].contains(&link.spec.as_str()) && own == *name
    };
    let mut linking: Vec<&str> = all.iter().filter(bootstraps).map(|(name, _)| *name).collect();
    if linking.is_empty() {
        linking = vec!["link", "core"];
    }
    let mut links = Links::default();
    for name in &linking {
        links.prefixes.insert((*name).to_owned());
        links.directives.insert((*name).to_owned(), Default::default());
    }
    for (_, link) in all.iter().filter(|(name, _)| linking.contains(name)) {
        check(link)?;
        links.add(link);
    }
    if links.join.is_empty() {
        return Err(SupergraphError::NotASupergraph(
            "its schema definition links no join specification (https://specs.apollo.dev/join)".into(),
        ));
    }
    Ok(links)
}

fn check(link: &Link) -> Result<(), SupergraphError> {
    let versions = KNOWN
        .iter()
        .find(|(spec, _)| link.home && link.spec == *spec)
        .map_or(&[][..], |(_, versions)| versions);
    let url = link.url.clone();
    match &link.purpose {
        _ if versions.contains(&link.version.as_str()) => Ok(()),
        _ if link.home && link.spec == "join" => Err(SupergraphError::UnknownJoin { url }),
        Some(purpose) => Err(SupergraphError::UnknownSpecification {
            url,
            purpose: purpose.clone(),
            known: versions.join(", "),
        }),
        None => Ok(()),
    }
}

fn link(directive: &Directive) -> Option<Link> {
    let argument = |name: &str| directive.specified_argument_by_name(name);
    let url = argument("url")
        .or_else(|| argument("feature"))?
        .as_str()?
        .to_owned();
    let (identity, version) = match url.trim_end_matches('/').rsplit_once('/') {
        Some((identity, version)) if is_version(version) => (identity, version),
        _ => (url.trim_end_matches('/'), ""),
    };
    let (home, spec) = identity.rsplit_once('/')?;
    let purpose = argument("for").and_then(|v| match &**v {
        Value::Enum(name) => Some(name.to_string()),
        other => other.as_str().map(str::to_owned),
    });
    let alias = argument("as").and_then(|v| v.as_str()).map(str::to_owned);
    Some(Link {
        home: home == HOME,
        spec: spec.to_owned(),
        version: version.to_owned(),
        imports: imports(directive),
        url,
        alias,
        purpose,
    })
}

/// `v1.0`
fn is_version(text: &str) -> bool {
    let numbers = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    numbers.is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

fn imports(directive: &Directive) -> Vec<(String, String)> {
    let Some(value) = directive.specified_argument_by_name("import") else {
        return Vec::new();
    };
    let Value::List(items) = &**value else {
        return Vec::new();
    };
    let one = |item: &Value| match item {
        Value::String(name) => Some((name.clone(), name.clone())),
        Value::Object(fields) => {
            let get = |key: &str| {
                fields
                    .iter()
                    .find(|(n, _)| n == key)
                    .and_then(|(_, v)| v.as_str())
            };
            let name = get("name")?;
            Some((name.to_owned(), get("as").unwrap_or(name).to_owned()))
        }
        _ => None,
    };
    items.iter().filter_map(|item| one(item)).collect()
}

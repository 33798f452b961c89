//! `@link` and `@core`: which specifications a supergraph uses.
//! <https://specs.apollo.dev/link/v1.0/>, <https://specs.apollo.dev/core/v0.2/>
use std::collections::HashMap;

use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, Value};

use super::SupergraphError;
use super::rights::is_auth_spec;

/// Specifications a supergraph may use for security or execution and be served.
const KNOWN: [&str; 10] = [
    "link",
    "core",
    "join",
    "inaccessible",
    "tag",
    "context",
    "cost",
    "authenticated",
    "requiresScopes",
    "policy",
];

/// The linked specifications.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Prefix of a specification's names, to the specification's name.
    prefixes: HashMap<String, String>,
    /// Directive names given by `import` or by the specification's own name, to (spec, element).
    elements: HashMap<String, (String, String)>,
    pub join: String,
    /// Minor version of join v0.x.
    pub join_minor: u32,
}

impl Links {
    /// Whether a name is machinery that clients do not see.
    pub fn is_machinery(&self, name: &str) -> bool {
        if self.elements.contains_key(name) {
            return true;
        }
        name.split_once("__").is_some_and(|(prefix, rest)| {
            !prefix.is_empty() && !rest.is_empty() && self.prefixes.contains_key(prefix)
        })
    }

    /// Whether a directive name is this specification's main directive.
    pub fn is(&self, directive: &str, spec: &str) -> bool {
        self.elements
            .get(directive)
            .is_some_and(|(s, e)| s == spec && e == spec)
    }

    /// `authenticated`, `requiresScopes` or `policy`, where the directive is one of them.
    pub fn auth(&self, directive: &str) -> Option<&'static str> {
        self.elements
            .get(directive)
            .and_then(|(_, element)| is_auth_spec(element))
    }

    fn add(&mut self, link: &Link) {
        let prefix = link.alias.clone().unwrap_or_else(|| link.spec.clone());
        self.prefixes.insert(prefix.clone(), link.spec.clone());
        self.elements
            .insert(prefix.clone(), (link.spec.clone(), link.spec.clone()));
        for (element, local) in &link.imports {
            let bare = |s: &str| s.trim_start_matches('@').to_owned();
            self.elements
                .insert(bare(local), (link.spec.clone(), bare(element)));
        }
        if link.spec == "join" {
            self.join = prefix;
            self.join_minor = link.minor;
        }
    }
}

struct Link {
    url: String,
    spec: String,
    minor: u32,
    alias: Option<String>,
    imports: Vec<(String, String)>,
    purpose: Option<String>,
}

/// Reads the links of the schema definition; refuses what it would be unsafe to ignore.
pub(crate) fn read(schema: &Schema) -> Result<Links, SupergraphError> {
    let mut links = Links::default();
    for directive in schema.schema_definition.directives.iter() {
        let Some(link) = link(directive) else { continue };
        if let Some(purpose) = link
            .purpose
            .as_deref()
            .filter(|_| !KNOWN.contains(&link.spec.as_str()))
        {
            return Err(SupergraphError::UnknownSpecification {
                url: link.url,
                purpose: purpose.into(),
            });
        }
        links.add(&link);
    }
    if links.join.is_empty() {
        return Err(SupergraphError::NotASupergraph(
            "its schema definition links no join specification (https://specs.apollo.dev/join)".into(),
        ));
    }
    Ok(links)
}

fn link(directive: &Directive) -> Option<Link> {
    let argument = |name: &str| directive.specified_argument_by_name(name);
    let url = argument("url")
        .or_else(|| argument("feature"))?
        .as_str()?
        .to_owned();
    let mut parts = url.trim_end_matches('/').rsplit('/');
    let version = parts.next()?;
    let spec = parts.next()?.to_owned();
    let minor = version
        .rsplit('.')
        .next()
        .and_then(|m| m.parse().ok())
        .unwrap_or(0);
    let purpose = argument("for").and_then(|v| match &**v {
        Value::Enum(name) => Some(name.to_string()),
        other => other.as_str().map(str::to_owned),
    });
    let alias = argument("as").and_then(|v| v.as_str()).map(str::to_owned);
    Some(Link {
        imports: imports(directive),
        url,
        spec,
        minor,
        alias,
        purpose,
    })
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

//! New names, in the order of the old ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What keeps its name wherever it stands: words of the grammar, what GraphQL and the specifications define.
const KEPT: &[&str] = &[
    "query",
    "mutation",
    "subscription",
    "fragment",
    "on",
    "true",
    "false",
    "null",
    "schema",
    "scalar",
    "type",
    "interface",
    "union",
    "enum",
    "input",
    "directive",
    "extend",
    "implements",
    "repeatable",
    "Int",
    "Float",
    "String",
    "Boolean",
    "ID",
    "Query",
    "Mutation",
    "Subscription",
    "_Any",
    "_Entity",
    "_Service",
    "_FieldSet",
    "_entities",
    "_service",
    "sdl",
    "representations",
    "FieldSet",
    "Scope",
    "Policy",
    "ContextFieldValue",
    "Any",
    "SECURITY",
    "EXECUTION",
    "_",
];
/// Fields of introspection.
const INTROSPECTION: &[&str] = &[
    "name",
    "description",
    "kind",
    "types",
    "fields",
    "args",
    "type",
    "ofType",
    "interfaces",
    "possibleTypes",
    "enumValues",
    "inputFields",
    "queryType",
    "mutationType",
    "subscriptionType",
    "directives",
    "locations",
    "isDeprecated",
    "deprecationReason",
    "includeDeprecated",
    "defaultValue",
    "isRepeatable",
    "specifiedByURL",
    "isOneOf",
    "OBJECT",
    "SCALAR",
    "INTERFACE",
    "UNION",
];
/// Root types; names keep their order to these.
const ROOTS: [(&str, char); 3] = [("Mutation", 'A'), ("Query", 'N'), ("Subscription", 'R')];

/// Who is told of each name, and says what to write in its place.
pub trait Namer {
    /// A name.
    fn name(&mut self, name: &str) -> String;
    /// The name of a subgraph.
    fn subgraph(&mut self, name: &str) -> String;
    /// What a string says.
    fn text(&mut self, text: &str) -> String;
}

/// What there is to be named anew.
#[derive(Default)]
pub struct Collected {
    names: BTreeSet<String>,
    /// Names of subgraphs.
    pub subgraphs: BTreeSet<String>,
    texts: BTreeSet<String>,
    kept: Vec<&'static str>,
}

impl Collected {
    /// Operations ask for the schema: its words stay.
    pub fn keep_introspection(&mut self) {
        self.kept.extend(INTROSPECTION);
    }
}

impl Namer for Collected {
    fn name(&mut self, name: &str) -> String {
        self.names.extend(parts(name).into_iter().map(str::to_owned));
        String::new()
    }

    fn subgraph(&mut self, name: &str) -> String {
        self.subgraphs.insert(name.to_owned());
        String::new()
    }

    fn text(&mut self, text: &str) -> String {
        self.texts.insert(text.to_owned());
        String::new()
    }
}

/// New names.
pub struct Names {
    names: HashMap<String, String>,
    subgraphs: BTreeMap<String, String>,
    texts: HashMap<String, String>,
}

impl Names {
    /// For what was collected.
    pub fn of(collected: Collected) -> Names {
        let is_kept = |name: &str| KEPT.contains(&name) || collected.kept.contains(&name);
        let names = collected.names.iter().filter(|name| !is_kept(name));
        let names: Vec<&String> = names.collect();
        let width = names.len().to_string().len();
        let named = names.iter().enumerate().map(|(number, name)| {
            let new = format!(
                "{}{number:0width$}{}",
                prefix(name),
                if name.trim_matches('_').contains('_') {
                    "_"
                } else {
                    ""
                }
            );
            ((*name).clone(), new)
        });
        let kept = collected.names.iter().filter(|name| is_kept(name));
        let kept = kept.map(|name| (name.clone(), name.clone()));
        Names {
            names: named.chain(kept).collect(),
            subgraphs: numbered("s", &collected.subgraphs).collect(),
            texts: numbered("text", &collected.texts).collect(),
        }
    }

    /// The other name of a subgraph.
    pub fn subgraph(&self, name: &str) -> String {
        self.subgraphs.get(name).cloned().unwrap_or_else(unknown)
    }

    /// All pairs of an old and its new name.
    pub fn pairs(&self) -> BTreeSet<(&str, &str)> {
        let names = self.names.iter().chain(&self.subgraphs);
        let pairs = names.map(|(old, new)| (old.as_str(), new.as_str()));
        pairs.filter(|(old, new)| old != new).collect()
    }
}

impl Namer for &Names {
    fn name(&mut self, name: &str) -> String {
        let new = |part: &str| self.names.get(part).cloned().unwrap_or_else(unknown);
        parts(name).into_iter().map(new).collect::<Vec<_>>().join("__")
    }

    fn subgraph(&mut self, name: &str) -> String {
        Names::subgraph(self, name)
    }

    fn text(&mut self, text: &str) -> String {
        match text {
            "" => String::new(),
            text => self.texts.get(text).cloned().unwrap_or_else(unknown),
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// `feature__name` is named in two parts. What begins with `__` is introspection's, and one.
fn parts(name: &str) -> Vec<&str> {
    match name.split_once("__") {
        Some((feature, rest)) if !feature.is_empty() && !rest.is_empty() => vec![feature, rest],
        _ => vec![name],
    }
}

/// A new name is of the old one's kind, so that it stays in order: `Account` before `Query`, `User` after `Subscription`.
fn prefix(name: &str) -> String {
    match name.chars().next() {
        Some('_') => "_n".to_owned(),
        Some(first) if first.is_ascii_uppercase() => {
            let before = ROOTS.iter().find(|(root, _)| name < *root);
            before.map_or('T', |(_, prefix)| *prefix).to_string()
        }
        _ => "n".to_owned(),
    }
}

fn numbered<'a>(prefix: &'a str, all: &'a BTreeSet<String>) -> impl Iterator<Item = (String, String)> + 'a {
    let width = all.len().to_string().len();
    let numbered = all.iter().enumerate();
    numbered.map(move |(number, name)| (name.clone(), format!("{prefix}{number:0width$}")))
}

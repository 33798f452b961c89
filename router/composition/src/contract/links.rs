//! How a supergraph calls `@tag` and `@inaccessible`, and what is machinery of its specifications.
//!
//! <https://specs.apollo.dev/link/v1.0/>

use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, Value};
use std::collections::BTreeSet;

/// What the links say.
#[derive(Debug)]
pub(super) struct Links {
    pub tag: String,
    pub inaccessible: String,
    /// The supergraph links the inaccessible specification.
    pub has_inaccessible: bool,
    /// The directive that links, as `link` or `core`.
    pub link: String,
    /// Prefixes of names that belong to specifications.
    prefixes: BTreeSet<String>,
}

impl Links {
    /// A type that a specification defines.
    pub fn is_machinery(&self, name: &str) -> bool {
        let prefix = name.split_once("__").map(|(prefix, _)| prefix);
        prefix.is_some_and(|prefix| self.prefixes.contains(prefix))
    }
}

/// Reads the links of a supergraph.
pub(super) fn read(schema: &Schema) -> Links {
    let mut links = Links {
        tag: "tag".to_owned(),
        inaccessible: "inaccessible".to_owned(),
        has_inaccessible: false,
        link: "link".to_owned(),
        prefixes: ["join", "link", "core"].map(str::to_owned).into(),
    };
    for directive in schema.schema_definition.directives.iter() {
        let Some(url) = text(directive, "url").or_else(|| text(directive, "feature")) else {
            continue;
        };
        let identity = url
            .trim_end_matches('/')
            .rsplit_once("/v")
            .map_or(url, |(identity, _)| identity);
        let feature = identity.rsplit('/').next().unwrap_or_default();
        let name = text(directive, "as").unwrap_or(feature);
        links.prefixes.insert(name.to_owned());
        match feature {
            "tag" => links.tag = local(directive, name, "@tag"),
            "inaccessible" => {
                links.inaccessible = local(directive, name, "@inaccessible");
                links.has_inaccessible = true;
            }
            "link" | "core" => links.link = directive.name.to_string(),
            _ => {}
        }
    }
    links
}

fn text<'d>(directive: &'d Directive, argument: &str) -> Option<&'d str> {
    directive
        .specified_argument_by_name(argument)
        .and_then(|value| value.as_str())
}

/// A directive's name here: imported, perhaps renamed, or the feature's own.
fn local(directive: &Directive, feature: &str, wanted: &str) -> String {
    let import = directive.specified_argument_by_name("import");
    for item in import.and_then(|value| value.as_list()).unwrap_or_default() {
        let entry = |key: &str| match &**item {
            Value::Object(entries) => entries
                .iter()
                .find(|(name, _)| name == key)
                .and_then(|(_, value)| value.as_str()),
            _ => None,
        };
        if entry("name") == Some(wanted) {
            let name = entry("as").unwrap_or(wanted);
            return name.trim_start_matches('@').to_owned();
        }
    }
    feature.to_owned()
}

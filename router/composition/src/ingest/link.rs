//! `@link`: which federation a schema speaks and how it calls the directives.
//!
//! <https://specs.apollo.dev/link/v1.0/>

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, Directive, Document, Value};
use std::collections::{BTreeMap, HashMap, HashSet};

use super::spec;
use crate::Subgraph;
use crate::diagnostics::Diagnostic;
use crate::model::{Feature, Federation, Place};

const FEDERATION: &str = "https://specs.apollo.dev/federation";
const LINK: &str = "https://specs.apollo.dev/link";

/// What the links say.
#[derive(Debug)]
pub(super) struct Linked {
    pub version: Federation,
    /// How this schema calls a directive → the specification's name.
    pub directives: HashMap<String, &'static str>,
    /// How this schema calls `@link`.
    pub link: String,
    /// Types of federation under their names here.
    pub types: HashSet<String>,
    /// Features that are not federation's.
    pub features: Vec<Feature>,
    /// The directives that are imported → their names here, and where.
    pub imported: BTreeMap<&'static str, (String, Place)>,
}

impl Linked {
    /// The specification's name of a directive, if federation defines it.
    pub fn canonical(&self, local: &str) -> Option<&'static str> {
        self.directives.get(local).copied()
    }

    /// Machinery that composition adds itself and never takes from a subgraph.
    pub fn is_machinery_type(&self, name: &str) -> bool {
        matches!(name, "_Any" | "_Entity" | "_Service" | "_FieldSet")
            || ["link__", "core__", "federation__"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
            || self.types.contains(name)
    }

    fn add(&mut self, local: String, name: &'static str) {
        self.directives.insert(local, name);
    }
}

/// Reads all links of a schema.
pub(super) fn resolve(document: &Document, subgraph: &Subgraph) -> Result<Linked, Vec<Diagnostic>> {
    let mut reader = Reader {
        document,
        subgraph,
        errors: Vec::new(),
    };
    let directives = schema_directives(document);
    let link = link_name(&directives);
    let links = directives
        .iter()
        .filter(|directive| directive.name == link.as_str());
    let features: Vec<Feature> = links.filter_map(|directive| reader.feature(directive)).collect();
    let mut linked = Linked {
        version: Federation::One,
        directives: HashMap::new(),
        link,
        types: HashSet::new(),
        features: Vec::new(),
        imported: BTreeMap::new(),
    };
    for feature in features {
        reader.apply(&mut linked, feature);
    }
    if linked.version == Federation::One {
        for spec in spec::SPECS.iter().filter(|spec| spec.in_one) {
            linked.directives.entry(spec.name.to_owned()).or_insert(spec.name);
        }
    }
    add_copied_scalars(&mut linked, document);
    if reader.errors.is_empty() {
        Ok(linked)
    } else {
        Err(reader.errors)
    }
}

/// Some servers print federation's definitions with its scalars under their bare names, not imported.
fn add_copied_scalars(linked: &mut Linked, document: &Document) {
    let defines_scalar = |name: &str| {
        document.definitions.iter().any(|definition| {
            matches!(definition, Definition::ScalarTypeDefinition(scalar) if scalar.name == name)
        })
    };
    let mut found = Vec::new();
    for definition in &document.definitions {
        let Definition::DirectiveDefinition(directive) = definition else {
            continue;
        };
        if linked.canonical(&directive.name).is_none() {
            continue;
        }
        let names = directive
            .arguments
            .iter()
            .map(|argument| argument.ty.inner_named_type().as_str());
        let theirs = names.filter(|name| spec::IMPORTABLE_TYPES.contains(name) && defines_scalar(name));
        found.extend(theirs.map(str::to_owned));
    }
    linked.types.extend(found);
}

/// Directives of the schema definition and its extensions.
pub(super) fn schema_directives(document: &Document) -> Vec<&Node<Directive>> {
    let lists = document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::SchemaDefinition(schema) => Some(&schema.directives),
            Definition::SchemaExtension(schema) => Some(&schema.directives),
            _ => None,
        });
    lists.flat_map(|list| list.iter()).collect()
}

fn text<'d>(directive: &'d Directive, argument: &str) -> Option<&'d str> {
    directive
        .specified_argument_by_name(argument)
        .and_then(|value| value.as_str())
}

/// `@link` may itself be linked under another name.
fn link_name(directives: &[&Node<Directive>]) -> String {
    let own = directives.iter().find(|directive| {
        text(directive, "url").is_some_and(|url| split_url(url).is_some_and(|parts| parts.0 == LINK))
    });
    own.map_or_else(|| "link".to_owned(), |directive| directive.name.to_string())
}

/// Identity, major, minor of a feature's URL.
fn split_url(url: &str) -> Option<(String, u32, u32)> {
    let (identity, version) = url.trim_end_matches('/').rsplit_once("/v")?;
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((identity.to_owned(), major.parse().ok()?, minor.parse().ok()?))
}

struct Reader<'a> {
    document: &'a Document,
    subgraph: &'a Subgraph,
    errors: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn error(&mut self, code: &str, place: Place, message: String) {
        let at = place.and_then(|span| span.line_column(&self.document.sources));
        self.errors.push(Diagnostic {
            code: code.to_owned(),
            message: format!("[{}] {message}", self.subgraph.name),
            subgraph: Some(self.subgraph.name.clone()),
            line: at.map(|at| at.line),
            column: at.map(|at| at.column),
        });
    }

    fn feature(&mut self, directive: &Node<Directive>) -> Option<Feature> {
        let place = directive.location();
        let Some(url) = text(directive, "url") else {
            let message = "The \"url\" argument of @link must be a string.".to_owned();
            self.error("INVALID_LINK_DIRECTIVE_USAGE", place, message);
            return None;
        };
        if split_url(url).is_none() && url.starts_with(FEDERATION) {
            let message = format!("Expected a version string (of the form v1.2) at the end of \"{url}\".");
            self.error("INVALID_LINK_IDENTIFIER", place, message);
            return None;
        }
        let (identity, major, minor) = split_url(url).unwrap_or_else(|| (url.to_owned(), 0, 0));
        let name = identity.rsplit('/').next().unwrap_or_default();
        let prefix = text(directive, "as")
            .unwrap_or(name)
            .trim_start_matches('@')
            .to_owned();
        let imports = self.imports(directive);
        Some(Feature {
            url: url.to_owned(),
            identity,
            major,
            minor,
            prefix,
            imports,
            place,
        })
    }

    fn imports(&mut self, directive: &Node<Directive>) -> Vec<(String, String)> {
        let mut imports = Vec::new();
        let list = directive
            .specified_argument_by_name("import")
            .and_then(|value| value.as_list());
        for item in list.unwrap_or_default() {
            match import(item) {
                Ok(pair) => imports.push(pair),
                Err(message) => self.error("INVALID_LINK_DIRECTIVE_USAGE", item.location(), message),
            }
        }
        imports
    }

    fn apply(&mut self, linked: &mut Linked, feature: Feature) {
        if feature.identity == FEDERATION {
            self.apply_federation(linked, &feature);
            return;
        }
        let core = spec::CORE_FEATURES
            .iter()
            .find(|(identity, _)| *identity == feature.identity);
        if let Some((_, names)) = core {
            for name in names.iter().filter_map(|name| spec::find(name)) {
                let own = feature.identity.ends_with(&format!("/{}", name.name));
                add_names(linked, &feature, name.name, own);
            }
        } else if feature.identity != LINK {
            linked.features.push(feature);
        } else if (feature.major, feature.minor) != (1, 0) {
            let message = format!(
                "Schema uses unknown version v{}.{} of the link spec: write {LINK}/v1.0.",
                feature.major, feature.minor
            );
            self.error("UNKNOWN_LINK_VERSION", feature.place, message);
        }
    }

    fn apply_federation(&mut self, linked: &mut Linked, feature: &Feature) {
        if feature.major == 1 {
            return;
        }
        if feature.major != 2 || feature.minor > spec::NEWEST_MINOR {
            let message = format!(
                "Invalid version v{}.{} for the federation feature in @link on the schema: known are v2.0 to v2.{}.",
                feature.major,
                feature.minor,
                spec::NEWEST_MINOR
            );
            self.error("UNKNOWN_FEDERATION_LINK_VERSION", feature.place, message);
        }
        linked.version = Federation::Two(feature.minor);
        let known: Vec<_> = spec::SPECS
            .iter()
            .filter(|spec| spec.since <= feature.minor)
            .collect();
        for spec in &known {
            add_names(linked, feature, spec.name, false);
        }
        for (name, local) in &feature.imports {
            let directive = name.strip_prefix('@');
            let exists = match directive {
                Some(directive) => known.iter().any(|spec| spec.name == directive),
                None => spec::IMPORTABLE_TYPES.contains(&name.as_str()),
            };
            if !exists {
                let message = format!(
                    "Cannot import unknown element \"{name}\" of federation v{}.{}.",
                    feature.major, feature.minor
                );
                self.error("INVALID_LINK_DIRECTIVE_USAGE", feature.place, message);
            } else if directive.is_none() {
                linked.types.insert(local.clone());
            }
        }
    }
}

/// Registers the prefixed and the imported name of a directive.
fn add_names(linked: &mut Linked, feature: &Feature, name: &'static str, own: bool) {
    let prefixed = if own {
        feature.prefix.clone()
    } else {
        format!("{}__{name}", feature.prefix)
    };
    linked.add(prefixed, name);
    for (import, local) in &feature.imports {
        if import.strip_prefix('@') == Some(name) {
            let local = local.trim_start_matches('@').to_owned();
            linked.imported.insert(name, (local.clone(), feature.place));
            linked.add(local, name);
        }
    }
}

/// `"@key"` or `{ name: "@key", as: "@id" }`.
fn import(item: &Node<Value>) -> Result<(String, String), String> {
    let wrong = "An element of @link's \"import\" must be a name or { name: \"…\", as: \"…\" }.";
    let (name, local) = match &**item {
        Value::String(name) => (name.clone(), name.clone()),
        Value::Object(entries) => {
            let entry = |key: &str| {
                let found = entries.iter().find(|(name, _)| name == key);
                found.and_then(|(_, value)| value.as_str()).map(str::to_owned)
            };
            let name = entry("name").ok_or(wrong)?;
            let local = entry("as").unwrap_or_else(|| name.clone());
            (name, local)
        }
        _ => return Err(wrong.to_owned()),
    };
    if name.starts_with('@') != local.starts_with('@') {
        return Err(format!(
            "Invalid @link import renaming: \"{name}\" and \"{local}\" must both be directives (start with @) or both types."
        ));
    }
    Ok((name, local))
}

//! The executable schema of a mock subgraph, from its federation SDL.
use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use apollo_compiler::ast::{self, Definition, Document};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};

use crate::field_set::{Path, paths};

/// Directives that stay when the federation's are taken off.
const BUILT_IN: [&str; 4] = ["deprecated", "specifiedBy", "skip", "include"];

/// Resolvable keys by type, each a list of paths.
type Keys = BTreeMap<String, Vec<Vec<Path>>>;

/// A subgraph's schema, and how its entities may be entered.
pub struct SubgraphSchema {
    /// Without federation directives, with `_entities` and `_service`.
    pub schema: Valid<Schema>,
    /// Resolvable keys of each entity.
    pub keys: Keys,
    /// What the fields of each type require: type → field → paths.
    pub requires: BTreeMap<String, BTreeMap<String, Vec<Path>>>,
}

impl SubgraphSchema {
    /// The schema of a server that is nobody's subgraph.
    pub fn whole(schema: Valid<Schema>) -> SubgraphSchema {
        SubgraphSchema {
            schema,
            keys: BTreeMap::new(),
            requires: BTreeMap::new(),
        }
    }
}

/// Reads the SDL a subgraph would answer `_service` with.
///
/// # Errors
/// SDL that is no schema even without the federation directives.
pub fn read(sdl: &str) -> Result<SubgraphSchema> {
    let parse =
        |sdl: &str| Document::parse(sdl, "subgraph.graphql").map_err(|error| anyhow!("{}", error.errors));
    let mut document = parse(&rename_back(sdl, &parse(sdl)?))?;
    let (keys, requires) = (keys(&document), requires(&document));
    document.definitions.retain(|definition| {
        let kept = |it: &ast::DirectiveDefinition| it.locations.iter().any(is_executable);
        match definition {
            // Of the directives those that clients may write.
            Definition::DirectiveDefinition(it) => kept(it),
            Definition::SchemaExtension(_) => false,
            _ => true,
        }
    });
    for definition in &mut document.definitions {
        strip(definition);
    }
    let text = format!("{document}\n{}", machinery(&document, &keys));
    let schema = Schema::builder()
        .adopt_orphan_extensions()
        .parse(text, "subgraph.graphql")
        .build();
    let schema = schema
        .and_then(Schema::validate)
        .map_err(|error| anyhow!("{}", error.errors))?;
    Ok(SubgraphSchema {
        schema,
        keys,
        requires,
    })
}

/// What the subgraph specification of Apollo Federation adds to a schema.
fn machinery(document: &Document, keys: &Keys) -> String {
    let objects: Vec<&str> = keys
        .keys()
        .map(String::as_str)
        .filter(|name| is_object(document, name))
        .collect();
    let root = query_root(document);
    let service = format!("type _Service {{ sdl: String! }} extend type {root} {{ _service: _Service! }}");
    if objects.is_empty() {
        return service;
    }
    format!(
        "{service} scalar _Any union _Entity = {} extend type {root} {{ _entities(representations: [_Any!]!): [_Entity]! }}",
        objects.join(" | ")
    )
}

fn is_object(document: &Document, name: &str) -> bool {
    document.definitions.iter().any(|definition| match definition {
        Definition::ObjectTypeDefinition(object) => object.name == name,
        Definition::ObjectTypeExtension(object) => object.name == name,
        _ => false,
    })
}

fn keys(document: &Document) -> Keys {
    let mut found = Keys::new();
    for definition in &document.definitions {
        let (Some(name), Some(directives)) = (definition.name(), type_directives(definition)) else {
            continue;
        };
        for key in directives
            .iter()
            .filter(|directive| short(&directive.name) == "key")
        {
            let resolvable = argument(key, "resolvable").and_then(|value| value.to_bool());
            if let (None | Some(true), Some(fields)) = (resolvable, field_set(key)) {
                found.entry(name.to_string()).or_default().push(fields);
            }
        }
    }
    found
}

fn requires(document: &Document) -> BTreeMap<String, BTreeMap<String, Vec<Path>>> {
    let mut found: BTreeMap<String, BTreeMap<String, Vec<Path>>> = BTreeMap::new();
    for definition in &document.definitions {
        let fields = match definition {
            Definition::ObjectTypeDefinition(it) => &it.fields,
            Definition::ObjectTypeExtension(it) => &it.fields,
            _ => continue,
        };
        let fields = fields.iter().filter_map(|field| {
            let mut directives = field.directives.iter();
            let requires = directives.find(|directive| short(&directive.name) == "requires")?;
            Some((field.name.to_string(), field_set(requires)?))
        });
        let name = definition.name().map(Name::to_string).unwrap_or_default();
        found.entry(name).or_default().extend(fields);
    }
    found
}

pub fn argument<'a>(directive: &'a ast::Directive, name: &str) -> Option<&'a ast::Value> {
    let mut arguments = directive.arguments.iter();
    Some(&arguments.find(|argument| argument.name == name)?.value)
}

fn field_set(directive: &ast::Directive) -> Option<Vec<Path>> {
    Some(paths(argument(directive, "fields")?.as_str()?))
}

fn type_directives(definition: &Definition) -> Option<&ast::DirectiveList> {
    match definition {
        Definition::ObjectTypeDefinition(it) => Some(&it.directives),
        Definition::ObjectTypeExtension(it) => Some(&it.directives),
        Definition::InterfaceTypeDefinition(it) => Some(&it.directives),
        Definition::InterfaceTypeExtension(it) => Some(&it.directives),
        _ => None,
    }
}

/// Whether clients may write a directive there.
fn is_executable(location: &ast::DirectiveLocation) -> bool {
    use ast::DirectiveLocation::*;
    matches!(
        location,
        Query
            | Mutation
            | Subscription
            | Field
            | FragmentDefinition
            | FragmentSpread
            | InlineFragment
            | VariableDefinition
    )
}

/// `federation__key` and `key` are one directive.
pub fn short(name: &Name) -> &str {
    name.rsplit("__").next().unwrap_or(name)
}

/// Gives directives that `@link` imports under other names their own names back.
pub fn rename_back(sdl: &str, document: &Document) -> String {
    let mut text = sdl.to_owned();
    for (own, here) in document.definitions.iter().flat_map(imported) {
        let end = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        let parts: Vec<&str> = text.split(&here).collect();
        let mut renamed = parts[0].to_owned();
        for part in &parts[1..] {
            renamed += if end(part) { &own } else { &here };
            renamed += part;
        }
        text = renamed;
    }
    text
}

/// Directives imported under another name: own name, name here.
fn imported(definition: &Definition) -> Vec<(String, String)> {
    let directives = match definition {
        Definition::SchemaDefinition(it) => &it.directives,
        Definition::SchemaExtension(it) => &it.directives,
        _ => return Vec::new(),
    };
    let lists = directives
        .iter()
        .filter_map(|link| argument(link, "import")?.as_list());
    let objects = lists.flatten().filter_map(|import| import.as_object());
    let pair = |import: &[(Name, Node<ast::Value>)]| {
        let text = |key: &str| {
            Some(
                import
                    .iter()
                    .find(|(name, _)| name == key)?
                    .1
                    .as_str()?
                    .to_owned(),
            )
        };
        Some((text("name")?, text("as")?))
    };
    objects.filter_map(pair).collect()
}

/// Name of the query root.
fn query_root(document: &Document) -> String {
    let mut definitions = document.definitions.iter();
    let root = definitions.find_map(|definition| match definition {
        Definition::SchemaDefinition(it) => {
            let mut roots = it.root_operations.iter();
            roots
                .find(|root| root.0 == ast::OperationType::Query)
                .map(|root| root.1.to_string())
        }
        _ => None,
    });
    root.unwrap_or_else(|| "Query".to_owned())
}

fn strip(definition: &mut Definition) {
    /// One mutable borrow of the node, so that its parts can be borrowed apart.
    macro_rules! parts {
        ($node:expr, $clean:ident, $items:ident) => {{
            let node = $node.make_mut();
            $clean(&mut node.directives, &mut node.$items)
        }};
    }
    match definition {
        Definition::ObjectTypeDefinition(it) => parts!(it, object, fields),
        Definition::ObjectTypeExtension(it) => parts!(it, object, fields),
        Definition::InterfaceTypeDefinition(it) => parts!(it, object, fields),
        Definition::InterfaceTypeExtension(it) => parts!(it, object, fields),
        Definition::EnumTypeDefinition(it) => parts!(it, values, values),
        Definition::EnumTypeExtension(it) => parts!(it, values, values),
        Definition::InputObjectTypeDefinition(it) => parts!(it, inputs, fields),
        Definition::InputObjectTypeExtension(it) => parts!(it, inputs, fields),
        Definition::SchemaDefinition(it) => it.make_mut().directives.0.clear(),
        Definition::UnionTypeDefinition(it) => clean(&mut it.make_mut().directives),
        Definition::UnionTypeExtension(it) => clean(&mut it.make_mut().directives),
        Definition::ScalarTypeDefinition(it) => clean(&mut it.make_mut().directives),
        Definition::ScalarTypeExtension(it) => clean(&mut it.make_mut().directives),
        _ => {}
    }
}

fn clean(directives: &mut ast::DirectiveList) {
    directives
        .0
        .retain(|directive| BUILT_IN.contains(&directive.name.as_str()));
}

fn object(directives: &mut ast::DirectiveList, fields: &mut [Node<ast::FieldDefinition>]) {
    clean(directives);
    for field in fields {
        let field = field.make_mut();
        clean(&mut field.directives);
        for argument in &mut field.arguments {
            clean(&mut argument.make_mut().directives);
        }
    }
}

fn values(directives: &mut ast::DirectiveList, values: &mut [Node<ast::EnumValueDefinition>]) {
    clean(directives);
    values
        .iter_mut()
        .for_each(|value| clean(&mut value.make_mut().directives));
}

fn inputs(directives: &mut ast::DirectiveList, fields: &mut [Node<ast::InputValueDefinition>]) {
    clean(directives);
    fields
        .iter_mut()
        .for_each(|field| clean(&mut field.make_mut().directives));
}

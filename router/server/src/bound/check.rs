//! Whether what is bound and the graph fit together: asked before a supergraph is served.

use std::collections::BTreeSet;

use apollo_compiler::Schema;
use apollo_compiler::ast::{self, OperationType};
use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use baedal_composition::Subgraph;

use crate::config::{BoundConfig, Config};

/// Compares the bindings with the schema that clients see.
///
/// # Errors
/// What does not fit, one sentence for each.
pub fn check(schema: &Schema, config: &Config) -> Result<(), Vec<String>> {
    let mut errors = Vec::new();
    for bound in &config.subscriptions.bound {
        // A contract may leave it out: then nobody can ask for it.
        match field(schema, &bound.field) {
            Some(field) => errors.extend(one(schema, bound, field, config)),
            None if config.contract.is_none() => errors.push(format!(
                "`subscriptions.bound` names the field `{}`, which the subscription type does not have",
                bound.field
            )),
            None => {}
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn field<'a>(schema: &'a Schema, name: &str) -> Option<&'a FieldDefinition> {
    let root = schema.root_operation(OperationType::Subscription)?;
    schema.get_object(root)?.fields.get(name).map(|field| &***field)
}

fn one(schema: &Schema, bound: &BoundConfig, field: &FieldDefinition, config: &Config) -> Vec<String> {
    let name = &bound.field;
    let mut errors = Vec::new();
    for argument in bound.names("$args.") {
        if !field.arguments.iter().any(|known| known.name == argument) {
            errors.push(format!(
                "`subscriptions.bound[{name}]` uses `$args.{argument}`, which the field does not have"
            ));
        }
    }
    let settings = &config.subscriptions;
    let is_text =
        |ty: &ast::Type| ["String", "ID"].contains(&ty.inner_named_type().as_str()) && !ty.is_list();
    let cursor = field
        .arguments
        .iter()
        .find(|known| known.name == settings.cursor_argument.as_str());
    if let Some(cursor) = cursor.filter(|cursor| !is_text(&cursor.ty)) {
        errors.push(format!(
            "the argument `{}` of the bound field `{name}` takes cursors: it must be a String",
            cursor.name
        ));
    }
    let returned = field.ty.inner_named_type();
    let fields = match schema.types.get(returned) {
        Some(ExtendedType::Object(ty)) => Some(&ty.fields),
        Some(ExtendedType::Interface(ty)) => Some(&ty.fields),
        _ => None,
    };
    if fields.is_none() || field.ty.is_list() {
        errors.push(format!(
            "the bound field `{name}` must return one object, not `{}`",
            field.ty
        ));
    }
    let cursor = fields.and_then(|fields| fields.get(settings.cursor_field.as_str()));
    if let Some(cursor) = cursor.filter(|cursor| !is_text(&cursor.ty)) {
        errors.push(format!(
            "the field `{returned}.{}` tells cursors of `{name}`: it must be a String",
            cursor.name
        ));
    }
    errors
}

/// Whether virtual subgraphs declare nothing that somebody would have to answer.
///
/// # Errors
/// What would never be answered, one sentence for each.
pub fn check_virtual(config: &Config, subgraphs: &[Subgraph]) -> Result<(), Vec<String>> {
    let is_virtual = |subgraph: &&Subgraph| {
        let known = config.subgraphs.get(&subgraph.name);
        known.is_some_and(|known| known.r#virtual)
    };
    let bound: BTreeSet<&str> = config
        .subscriptions
        .bound
        .iter()
        .map(|bound| bound.field.as_str())
        .collect();
    let mut errors = Vec::new();
    for subgraph in subgraphs.iter().filter(is_virtual) {
        // What is no SDL is told by composition.
        let Ok(document) = ast::Document::parse(subgraph.sdl.as_str(), "sdl") else {
            continue;
        };
        for (ty, field) in root_fields(&document) {
            if ty != "Subscription" || !bound.contains(field.as_str()) {
                errors.push(format!(
                    "subgraph '{}' is virtual: nobody answers `{ty}.{field}`; only subscriptions that \
                     `subscriptions.bound` binds can be in it",
                    subgraph.name
                ));
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Fields of root types, by the usual name of their type.
fn root_fields(document: &ast::Document) -> Vec<(&'static str, String)> {
    let mut names = vec![
        ("Query", "Query".to_owned()),
        ("Mutation", "Mutation".to_owned()),
        ("Subscription", "Subscription".to_owned()),
    ];
    for definition in &document.definitions {
        let roots = match definition {
            ast::Definition::SchemaDefinition(schema) => &schema.root_operations,
            ast::Definition::SchemaExtension(schema) => &schema.root_operations,
            _ => continue,
        };
        for root in roots {
            let usual = match root.0 {
                OperationType::Query => "Query",
                OperationType::Mutation => "Mutation",
                OperationType::Subscription => "Subscription",
            };
            names.push((usual, root.1.to_string()));
        }
    }
    let mut found = Vec::new();
    for definition in &document.definitions {
        let (name, fields) = match definition {
            ast::Definition::ObjectTypeDefinition(ty) => (&ty.name, &ty.fields),
            ast::Definition::ObjectTypeExtension(ty) => (&ty.name, &ty.fields),
            _ => continue,
        };
        let usual = names.iter().find(|(_, known)| known == name.as_str());
        found.extend(
            usual
                .into_iter()
                .flat_map(|(usual, _)| fields.iter().map(|field| (*usual, field.name.to_string()))),
        );
    }
    found
}

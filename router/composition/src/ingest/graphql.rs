//! Is the SDL valid GraphQL, once the definitions that federation lets a subgraph leave out are added?
//!
//! <https://spec.graphql.org/draft/#sec-Type-System>

use apollo_compiler::ast::{Definition, DirectiveDefinition, Document, Type};
use apollo_compiler::{Node, Schema};
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::link::Linked;
use super::{roots, spec};
use crate::Subgraph;
use crate::diagnostics::Diagnostic;
use crate::model::Federation;

/// Checks a subgraph's SDL against the GraphQL specification.
pub(super) fn check(document: &Document, linked: &Linked, subgraph: &Subgraph) -> Vec<Diagnostic> {
    let mut errors = check_definitions(document, linked, subgraph);
    errors.extend(check_types(document, subgraph));
    let own = Document {
        sources: document.sources.clone(),
        definitions: own_definitions(document, linked),
    };
    let mut builder = Schema::builder()
        .adopt_orphan_extensions()
        .ignore_builtin_redefinitions()
        .add_ast(&own);
    let added = Document::parse(added_definitions(&own, linked), "federation")
        .expect("the definitions are generated from valid names and constant text");
    builder = builder.add_ast(&added);
    let explain = |message: String| explain_directive(message, linked);
    let (schema, unbuildable) = match builder.build() {
        Ok(schema) => (schema, None),
        Err(failed) => (failed.partial, Some(failed.errors)),
    };
    let invalid = schema.validate().err().map(|failed| failed.errors);
    for found in unbuildable.iter().chain(&invalid) {
        errors.extend(super::invalid_graphql(found, subgraph, &explain));
    }
    errors
}

/// The subgraph's own definitions: without federation's machinery.
fn own_definitions(document: &Document, linked: &Linked) -> Vec<Definition> {
    document
        .definitions
        .iter()
        .filter_map(|definition| own_definition(definition, linked))
        .collect()
}

fn own_definition(definition: &Definition, linked: &Linked) -> Option<Definition> {
    match definition {
        Definition::DirectiveDefinition(directive) => {
            let theirs =
                linked.canonical(&directive.name).is_some() || directive.name == linked.link.as_str();
            (!theirs).then(|| definition.clone())
        }
        Definition::ObjectTypeDefinition(object) => {
            let mut object = object.clone();
            if object.fields.iter().any(|field| is_machinery_field(&field.name)) {
                object
                    .make_mut()
                    .fields
                    .retain(|field| !is_machinery_field(&field.name));
            }
            let machinery = linked.is_machinery_type(&object.name);
            (!machinery).then(|| Definition::ObjectTypeDefinition(object))
        }
        Definition::ObjectTypeExtension(object) => {
            let mut object = object.clone();
            if object.fields.iter().any(|field| is_machinery_field(&field.name)) {
                object
                    .make_mut()
                    .fields
                    .retain(|field| !is_machinery_field(&field.name));
            }
            Some(Definition::ObjectTypeExtension(object))
        }
        other => {
            let machinery = other.name().is_some_and(|name| linked.is_machinery_type(name));
            (!machinery).then(|| other.clone())
        }
    }
}

/// Fields of Query that belong to the protocol between router and subgraph.
pub(super) fn is_machinery_field(name: &str) -> bool {
    matches!(name, "_service" | "_entities")
}

/// SDL of everything that a subgraph may leave out.
fn added_definitions(own: &Document, linked: &Linked) -> String {
    let mut sdl = format!("scalar {}\n", spec::ANY);
    let locals: BTreeSet<(&String, &&str)> = linked.directives.iter().collect();
    for (local, name) in locals {
        let spec = spec::find(name).expect("only known directives are registered");
        sdl.push_str(&spec.definition(local));
    }
    let _ = writeln!(
        sdl,
        "directive @{}(url: String, as: String, for: {any}, import: [{any}], feature: String) repeatable on SCHEMA",
        linked.link,
        any = spec::ANY
    );
    for name in &linked.types {
        let _ = writeln!(sdl, "scalar {name}");
    }
    let defines = |name: &str| {
        own.definitions.iter().any(|definition| {
            matches!(definition, Definition::DirectiveDefinition(directive) if directive.name == name)
        })
    };
    if !defines("oneOf") {
        sdl.push_str("directive @oneOf on INPUT_OBJECT\n");
    }
    sdl.push_str(&missing_query(own));
    sdl
}

/// A subgraph may have no query of its own: then a stand-in, so that the rest can be checked.
fn missing_query(own: &Document) -> String {
    let operations = roots::operations(own);
    let root = operations.iter().find(|root| root.0.is_query());
    let query = root.map_or("Query", |root| root.1.as_str());
    let mut found = None;
    for definition in &own.definitions {
        let fields = match definition {
            Definition::ObjectTypeDefinition(object) if object.name == query => object.fields.len(),
            Definition::ObjectTypeExtension(object) if object.name == query => object.fields.len(),
            _ => continue,
        };
        found = Some(found.unwrap_or(0) + fields);
    }
    let implied = operations.is_empty() || root.is_some();
    match found {
        Some(0) if implied => format!("extend type {query} {{ federation__unused: Int }}\n"),
        Some(_) if implied => String::new(),
        _ if root.is_some() => String::new(),
        _ => {
            "type federation__Query { unused: Int }\nextend schema { query: federation__Query }\n".to_owned()
        }
    }
}

/// Says how to write a federation directive that the schema has not imported.
fn explain_directive(message: String, linked: &Linked) -> String {
    let name = message
        .split("@")
        .nth(1)
        .and_then(|rest| rest.split(['`', '"', ' ']).next());
    let unknown = message.starts_with("cannot find directive");
    let Some(spec) = name.filter(|_| unknown).and_then(spec::find) else {
        return message;
    };
    let how = match linked.version {
        Federation::One => format!(
            "if you meant the \"@{0}\" federation 2 directive, note that this schema is a federation 1 schema: to be a federation 2 schema, it needs to @link to the federation specification v2",
            spec.name
        ),
        Federation::Two(minor) if minor < spec.since => {
            format!(
                "@{0} needs federation v2.{1}, and this schema links v2.{minor}",
                spec.name, spec.since
            )
        }
        Federation::Two(_) => format!(
            "if you meant the \"@{0}\" federation directive, use the fully-qualified name \"@federation__{0}\" or add \"@{0}\" to the `import` argument of the @link to the federation specification",
            spec.name
        ),
    };
    format!("{message}: {how}")
}

/// A subgraph may bring its own copy of federation's definitions, but not different ones.
fn check_definitions(document: &Document, linked: &Linked, subgraph: &Subgraph) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for definition in &document.definitions {
        let Definition::DirectiveDefinition(directive) = definition else {
            continue;
        };
        let spec = linked.canonical(&directive.name).and_then(spec::find);
        let Some(message) = spec.and_then(|spec| definition_error(directive, spec)) else {
            continue;
        };
        let message = format!(
            "Invalid definition for directive \"@{}\": {message}",
            directive.name
        );
        let code = "DIRECTIVE_DEFINITION_INVALID";
        errors.push(Diagnostic::at(subgraph, code, document, definition, message));
    }
    errors
}

/// Types whose names federation keeps for itself must be what federation makes of them.
fn check_types(document: &Document, subgraph: &Subgraph) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for definition in &document.definitions {
        let expected = match definition.name().map(|name| name.as_str()) {
            Some("_Any" | "_FieldSet" | "federation__FieldSet" | "link__Import") => "a scalar",
            Some("_Service") => "an object type",
            Some("_Entity") => "a union",
            Some("link__Purpose") => "an enum",
            _ => continue,
        };
        let actual = match definition {
            Definition::ScalarTypeDefinition(_) => "a scalar",
            Definition::ObjectTypeDefinition(_) => "an object type",
            Definition::UnionTypeDefinition(_) => "a union",
            Definition::EnumTypeDefinition(_) => "an enum",
            Definition::InterfaceTypeDefinition(_) => "an interface",
            Definition::InputObjectTypeDefinition(_) => "an input object",
            _ => continue,
        };
        if actual == expected {
            continue;
        }
        let name = definition.name().map(|name| name.as_str()).unwrap_or_default();
        let message = format!(
            "Invalid definition for type \"{name}\": it should be {expected}, but is {actual}. The name belongs to federation."
        );
        let code = "TYPE_DEFINITION_INVALID";
        errors.push(Diagnostic::at(subgraph, code, document, definition, message));
    }
    errors
}

fn definition_error(directive: &Node<DirectiveDefinition>, spec: &spec::Spec) -> Option<String> {
    let known = |name: &str| spec.args.contains(&format!("{name}:"));
    if let Some(argument) = directive.arguments.iter().find(|argument| !known(&argument.name)) {
        return Some(format!("unknown/unsupported argument \"{}\"", argument.name));
    }
    if let Some(why) = argument_error(directive, spec) {
        return Some(why);
    }
    let allowed: Vec<&str> = spec.locations.split(" | ").collect();
    let wrong = directive
        .locations
        .iter()
        .find(|location| !allowed.contains(&location.name()));
    wrong.map(|location| {
        format!(
            "it should only have locations {}, but found {location}",
            spec.locations
        )
    })
}

/// A required argument that is not there, or an argument of another type.
fn argument_error(directive: &Node<DirectiveDefinition>, spec: &spec::Spec) -> Option<String> {
    let text = spec.definition(&directive.name);
    let document = Document::parse(text, "specification").expect("the text is constant, the name valid");
    let expected = document
        .definitions
        .iter()
        .find_map(|definition| match definition {
            Definition::DirectiveDefinition(expected) => Some(expected),
            _ => None,
        })?;
    expected.arguments.iter().find_map(|wanted| {
        let name = &wanted.name;
        let Some(given) = directive.argument_by_name(name) else {
            let required = wanted.ty.is_non_null() && wanted.default_value.is_none();
            return required.then(|| format!("missing required argument \"{name}\""));
        };
        (!is_like(&wanted.ty, &given.ty)).then(|| {
            format!(
                "argument \"{name}\" should have type \"{}\" but found type \"{}\"",
                shown(&wanted.ty),
                given.ty
            )
        })
    })
}

/// The same type but for nullability; where the specification has scalars of its own, any that is not a number.
fn is_like(wanted: &Type, given: &Type) -> bool {
    match (wanted, given) {
        (Type::Named(a) | Type::NonNullNamed(a), Type::Named(b) | Type::NonNullNamed(b)) => {
            a == b || (a == spec::ANY && !matches!(b.as_str(), "Int" | "Float" | "Boolean"))
        }
        (Type::List(a) | Type::NonNullList(a), Type::List(b) | Type::NonNullList(b)) => is_like(a, b),
        _ => false,
    }
}

fn shown(ty: &Type) -> String {
    ty.to_string().replace(spec::ANY, "String")
}

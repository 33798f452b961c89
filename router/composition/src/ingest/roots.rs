//! Root types: whatever a subgraph calls them, the supergraph has `Query`, `Mutation` and `Subscription`.

use apollo_compiler::ast::{Definition, Document, OperationType};
use apollo_compiler::{Name, Node};
use std::collections::HashMap;

use crate::Subgraph;
use crate::diagnostics::Diagnostic;

/// Renamings of root types: name here → usual name.
pub(super) type Roots = HashMap<Name, Name>;

/// Finds root types that have their own names.
pub(super) fn resolve(document: &Document, subgraph: &Subgraph) -> Result<Roots, Vec<Diagnostic>> {
    let mut roots = Roots::new();
    let mut errors = Vec::new();
    for root in operations(document) {
        let (operation, name) = &**root;
        let usual = usual_name(*operation);
        if *name == usual {
            continue;
        }
        if let Some(other) = document
            .definitions
            .iter()
            .find(|definition| definition.name() == Some(&usual))
        {
            let at = other
                .location()
                .and_then(|span| span.line_column(&document.sources));
            errors.push(Diagnostic {
                code: format!("ROOT_{}_USED", usual.to_uppercase()),
                message: format!(
                    "[{}] The schema has a type named \"{usual}\" but it is not set as the {} root type (\"{name}\" is instead): this is not supported by federation. If a root type does not use its default name, there should be no other type with that default name.",
                    subgraph.name,
                    operation.name()
                ),
                subgraph: Some(subgraph.name.clone()),
                line: at.map(|at| at.line),
                column: at.map(|at| at.column),
            });
        }
        roots.insert(name.clone(), usual);
    }
    if errors.is_empty() { Ok(roots) } else { Err(errors) }
}

/// The root operations that the schema states.
pub(super) fn operations(document: &Document) -> Vec<&Node<(OperationType, Name)>> {
    let lists = document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::SchemaDefinition(schema) => Some(&schema.root_operations),
            Definition::SchemaExtension(schema) => Some(&schema.root_operations),
            _ => None,
        });
    lists.flatten().collect()
}

fn usual_name(operation: OperationType) -> Name {
    match operation {
        OperationType::Query => apollo_compiler::name!("Query"),
        OperationType::Mutation => apollo_compiler::name!("Mutation"),
        OperationType::Subscription => apollo_compiler::name!("Subscription"),
    }
}

//! Elements that must not be `@inaccessible`: GraphQL's own types and federation's machinery.
//!
//! <https://specs.apollo.dev/inaccessible/v0.2/>

use apollo_compiler::ast::Document;

use super::link::Linked;
use crate::Subgraph;
use crate::diagnostics::Diagnostic;
use crate::model::is_builtin_scalar;

/// Reports hidden types that every schema needs.
pub(super) fn check(document: &Document, linked: &Linked, subgraph: &Subgraph) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for definition in &document.definitions {
        let Some(name) = definition.name() else { continue };
        let needed = is_builtin_scalar(name) || name.starts_with("__") || linked.is_machinery_type(name);
        let hidden = definition
            .directives()
            .iter()
            .any(|directive| linked.canonical(&directive.name) == Some("inaccessible"));
        if !needed || !hidden {
            continue;
        }
        let message =
            format!("Type \"{name}\" cannot be @inaccessible: it is built in. Remove the directive.");
        let code = "DISALLOWED_INACCESSIBLE";
        errors.push(Diagnostic::at(subgraph, code, document, definition, message));
    }
    errors
}

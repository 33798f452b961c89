//! Federation's `FieldSet` scalar: `a b { c d }`, with arguments and fragments.
use apollo_compiler::ast::{Definition, Document, Selection};

/// Field names from an object down to one of its leaves.
pub type Path = Vec<String>;

/// `a b { c ... on T { d } }` as `[[a], [b, c], [b, d]]`. Text that is no selection has no path.
pub fn paths(fields: &str) -> Vec<Path> {
    let mut found = Vec::new();
    let Ok(document) = Document::parse(format!("{{ {fields} }}"), "fields.graphql") else {
        return found;
    };
    for definition in &document.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            collect(&operation.selection_set, &[], &mut found);
        }
    }
    found
}

fn collect(selections: &[Selection], parents: &[String], found: &mut Vec<Path>) {
    for selection in selections {
        match selection {
            Selection::Field(field) => {
                let path = [parents, &[field.name.to_string()]].concat();
                if field.selection_set.is_empty() {
                    found.push(path);
                } else {
                    collect(&field.selection_set, &path, found);
                }
            }
            Selection::InlineFragment(fragment) => collect(&fragment.selection_set, parents, found),
            Selection::FragmentSpread(_) => {}
        }
    }
}

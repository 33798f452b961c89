//! `@skip` and `@include` (and whether `@defer` and `@stream` apply). <https://spec.graphql.org/October2021/#sec--skip>
use std::collections::{BTreeSet, HashSet};

use apollo_compiler::ast::{Directive, DirectiveList, Value};
use apollo_compiler::executable::{Operation, Selection, SelectionSet};
use apollo_compiler::{ExecutableDocument, Node};
use serde_json::Map;

/// Variables used in the conditions of what the operation selects, sorted.
pub(super) fn variables(document: &ExecutableDocument, operation: &Operation) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut pending: Vec<&SelectionSet> = vec![&operation.selection_set];
    while let Some(set) = pending.pop() {
        for selection in &set.selections {
            of_directives(selection.directives(), &mut found);
            match selection {
                Selection::Field(field) => pending.push(&field.selection_set),
                Selection::InlineFragment(fragment) => pending.push(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.fragment_name)
                        && seen.insert(&spread.fragment_name)
                    {
                        pending.push(&fragment.selection_set);
                    }
                }
            }
        }
    }
    found.into_iter().collect()
}

fn of_directives(directives: &DirectiveList, found: &mut BTreeSet<String>) {
    for directive in directives
        .iter()
        .filter(|d| ["skip", "include", "defer", "stream"].contains(&d.name.as_str()))
    {
        if let Some(Value::Variable(name)) = directive.specified_argument_by_name("if").map(|v| &**v) {
            found.insert(name.to_string());
        }
    }
}

/// Whether a selection with these directives is kept under the coerced variables.
pub(crate) fn included(directives: &DirectiveList, variables: &Map<String, serde_json::Value>) -> bool {
    directives.iter().all(|directive| {
        let wanted = match directive.name.as_str() {
            "skip" => false,
            "include" => true,
            _ => return true,
        };
        let value = match directive.specified_argument_by_name("if").map(|v| &**v) {
            Some(Value::Boolean(value)) => *value,
            Some(Value::Variable(name)) => variables
                .get(name.as_str())
                .and_then(|v| v.as_bool())
                .unwrap_or(false),
            _ => return true,
        };
        value == wanted
    })
}

/// Directives that are for the subgraphs: all that are not for the gateway.
pub(crate) fn passed_on(directives: &DirectiveList) -> impl Iterator<Item = &Node<Directive>> {
    let own = ["skip", "include", "defer", "stream"];
    directives.iter().filter(move |d| !own.contains(&d.name.as_str()))
}

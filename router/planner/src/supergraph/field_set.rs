//! Field sets: the arguments of `@key`, `@requires` and `@provides`.
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::{Definition, Document, Selection, Value};

use super::types::Types;
use crate::directed::{Directed, Way};

/// A selection with its fragments resolved to the object types they match.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FieldSet(pub Vec<FieldSetItem>);

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldSetItem {
    /// Runtime types it applies to; `None` for any.
    pub on: Option<Types>,
    pub name: Name,
    pub args: Args,
    pub sub: FieldSet,
}

/// The arguments of a field, by name. Two fields of one name with equal arguments have equal values, unless the client
/// put directives of subgraphs on them or around them: these are passed on, and may change what the field does.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Args(pub Arc<Vec<(Name, Value)>>, pub Option<Arc<Directed>>);

impl Args {
    pub fn new(mut items: Vec<(Name, Value)>) -> Args {
        items.sort_by(|a, b| a.0.cmp(&b.0));
        Args(Arc::new(items), None)
    }

    /// The fragments with directives around the field, for each way in which it is selected; one way, if there are none.
    pub fn ways(&self) -> &[Way] {
        let ways = self.1.as_ref().map_or(&[][..], |directed| &directed.ways);
        if ways.is_empty() { &[None] } else { ways }
    }

    /// With directives of the client's that subgraphs see.
    pub fn with(self, directed: Option<Arc<Directed>>) -> Args {
        Args(self.0, directed)
    }
}

/// Parses a field set; `possible` gives the object types of a type condition.
pub(crate) fn parse(text: &str, possible: &dyn Fn(&str) -> Option<Types>) -> Result<FieldSet, String> {
    let trimmed = text.trim();
    let braced = if trimmed.starts_with('{') {
        trimmed.to_owned()
    } else {
        format!("{{{trimmed}}}")
    };
    let document = Document::parse(braced, "field set")
        .map_err(|e| format!("{text:?} is not a field set: {}", e.errors))?;
    let operation = document.definitions.iter().find_map(|d| match d {
        Definition::OperationDefinition(operation) => Some(operation),
        _ => None,
    });
    let operation = operation.ok_or_else(|| format!("{text:?} is not a field set"))?;
    let mut items = Vec::new();
    collect(&operation.selection_set, None, possible, &mut items)?;
    Ok(FieldSet(items))
}

fn collect(
    selections: &[Selection],
    on: Option<&Types>,
    possible: &dyn Fn(&str) -> Option<Types>,
    items: &mut Vec<FieldSetItem>,
) -> Result<(), String> {
    for selection in selections {
        match selection {
            Selection::Field(field) if field.name == "__typename" => {}
            Selection::Field(field) => {
                let mut sub = Vec::new();
                collect(&field.selection_set, None, possible, &mut sub)?;
                let args = field
                    .arguments
                    .iter()
                    .map(|a| (a.name.clone(), (*a.value).clone()))
                    .collect();
                let sub = FieldSet(sub);
                items.push(FieldSetItem {
                    on: on.cloned(),
                    name: field.name.clone(),
                    args: Args::new(args),
                    sub,
                });
            }
            Selection::InlineFragment(fragment) => {
                let condition = match &fragment.type_condition {
                    Some(name) => {
                        Some(possible(name).ok_or_else(|| format!("unknown type {name} in a field set"))?)
                    }
                    None => None,
                };
                let both = match (on, condition) {
                    (Some(a), Some(b)) => Some(a.and(&b)),
                    (a, b) => a.cloned().or(b),
                };
                collect(&fragment.selection_set, both.as_ref(), possible, items)?;
            }
            Selection::FragmentSpread(spread) => {
                return Err(format!(
                    "a field set can't use the named fragment {}",
                    spread.fragment_name
                ));
            }
        }
    }
    Ok(())
}

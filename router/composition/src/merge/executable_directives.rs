//! Executable directives: those that all subgraphs know, where all of them allow it.

use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation, InputValueDefinition};
use apollo_compiler::{Name, Node};
use indexmap::IndexSet;

use super::arguments::{Codes, merge_input};
use super::merged::Merged;
use super::{Context, Sources};
use crate::model::{Input, Marks};

type Definition = Node<DirectiveDefinition>;

/// Merges the definitions that clients can use.
pub(super) fn merge(cx: &mut Context<'_>, merged: &mut Merged) {
    let models = cx.models;
    let names: IndexSet<&Name> = models.iter().flat_map(|model| model.directives.keys()).collect();
    for name in names.into_iter().filter(|name| !is_builtin(name)) {
        if merged.directives.contains_key(name) {
            continue;
        }
        let has: Sources<'_, Definition> = models
            .iter()
            .enumerate()
            .filter_map(|(graph, model)| Some((graph, model.directives.get(name)?)))
            .collect();
        if let Some(definition) = merge_one(cx, name, &has) {
            merged.directives.insert(name.clone(), Node::new(definition));
        }
    }
}

fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "skip" | "include" | "deprecated" | "specifiedBy" | "oneOf" | "defer" | "stream"
    )
}

fn merge_one(
    cx: &mut Context<'_>,
    name: &Name,
    has: &Sources<'_, Definition>,
) -> Option<DirectiveDefinition> {
    let mut all = has.iter().flat_map(|(_, directive)| &directive.locations);
    if !all.any(|location| is_executable(*location)) {
        return None;
    }
    let locations = common_locations(has);
    if has.len() < cx.models.len() || locations.is_empty() {
        let message = format!(
            "Executable directive \"@{name}\" will not be part of the supergraph as it does not appear, with a common location, in all subgraphs."
        );
        let (graph, place) = (has[0].0, has[0].1.location());
        cx.hint(
            "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
            graph,
            place,
            message,
        );
        return None;
    }
    Some(DirectiveDefinition {
        description: has
            .iter()
            .find_map(|(_, directive)| directive.description.clone()),
        name: name.clone(),
        arguments: merge_arguments(cx, name, has),
        repeatable: has.iter().all(|(_, directive)| directive.repeatable),
        locations,
    })
}

/// Executable locations that all definitions allow.
fn common_locations(has: &Sources<'_, Definition>) -> Vec<DirectiveLocation> {
    let everywhere = |location: &DirectiveLocation| {
        is_executable(*location)
            && has
                .iter()
                .all(|(_, directive)| directive.locations.contains(location))
    };
    has[0].1.locations.iter().copied().filter(everywhere).collect()
}

fn is_executable(location: DirectiveLocation) -> bool {
    use DirectiveLocation as L;
    matches!(
        location,
        L::Query
            | L::Mutation
            | L::Subscription
            | L::Field
            | L::FragmentDefinition
            | L::FragmentSpread
            | L::InlineFragment
            | L::VariableDefinition
    )
}

/// Arguments that all definitions have.
fn merge_arguments(
    cx: &mut Context<'_>,
    name: &Name,
    has: &Sources<'_, Definition>,
) -> Vec<Node<InputValueDefinition>> {
    let codes = Codes {
        types: "DIRECTIVE_DEFINITION_INVALID",
        defaults: "DIRECTIVE_DEFINITION_INVALID",
    };
    let names: IndexSet<&Name> = has
        .iter()
        .flat_map(|(_, directive)| directive.arguments.iter().map(|arg| &arg.name))
        .collect();
    let mut arguments = Vec::new();
    for arg in names {
        let read: Vec<(usize, Input)> = has
            .iter()
            .filter_map(|(graph, directive)| Some((*graph, input(directive.argument_by_name(arg)?))))
            .collect();
        if read.len() < has.len() {
            report_missing(cx, name, arg, &read);
            continue;
        }
        let sources: Sources<'_, Input> = read.iter().map(|(graph, input)| (*graph, input)).collect();
        let (merged, _) = merge_input(cx, &format!("argument \"@{name}({arg}:)\""), &codes, &sources);
        arguments.push(Node::new(InputValueDefinition {
            description: merged.description,
            name: arg.clone(),
            ty: Node::new(merged.ty),
            default_value: merged.default,
            directives: Default::default(),
        }));
    }
    arguments
}

fn report_missing(cx: &mut Context<'_>, name: &Name, arg: &Name, read: &[(usize, Input)]) {
    let Some((graph, required)) = read.iter().find(|(_, input)| input.required()) else {
        return;
    };
    let message = format!(
        "Argument \"@{name}({arg}:)\" is required in some subgraphs but does not appear in all subgraphs that define the directive."
    );
    cx.error(
        "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
        *graph,
        required.place,
        message,
    );
}

fn input(definition: &Node<InputValueDefinition>) -> Input {
    Input {
        name: definition.name.clone(),
        description: definition.description.clone(),
        place: definition.location(),
        ty: (*definition.ty).clone(),
        default: definition.default_value.clone(),
        from_context: None,
        marks: Marks::default(),
    }
}

//! Executable directives: those that all subgraphs know, where all of them allow it.

use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation, InputValueDefinition};
use apollo_compiler::{Name, Node};
use indexmap::IndexSet;

use super::arguments::{Codes, merge_input};
use super::merged::Merged;
use super::{Context, Sources, description};
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
    if let Some((code, why)) = dropped(cx, has, &locations) {
        let message =
            format!("Executable directive \"@{name}\" will not be part of the supergraph as {why}.");
        cx.hint(code, has[0].0, has[0].1.location(), message);
        return None;
    }
    hint_differences(cx, name, has, &locations);
    let texts: Vec<_> = has
        .iter()
        .map(|(graph, directive)| (*graph, directive.location(), directive.description.as_ref()))
        .collect();
    Some(DirectiveDefinition {
        description: description::merge(cx, &format!("Directive \"@{name}\""), &texts),
        name: name.clone(),
        arguments: merge_arguments(cx, name, has),
        repeatable: has.iter().all(|(_, directive)| directive.repeatable),
        locations,
    })
}

/// Why clients cannot use the directive.
fn dropped(
    cx: &Context<'_>,
    has: &Sources<'_, Definition>,
    locations: &[DirectiveLocation],
) -> Option<(&'static str, String)> {
    let defines = |graph: &usize| has.iter().any(|(own, _)| own == graph);
    let missing: Vec<usize> = (0..cx.models.len()).filter(|graph| !defines(graph)).collect();
    if !missing.is_empty() {
        let why = format!(
            "it does not appear in all subgraphs: it is not in {}",
            cx.names(&missing)
        );
        return Some(("INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE", why));
    }
    locations.is_empty().then(|| {
        let why = "no executable location of it appears in all subgraphs".to_owned();
        ("NO_EXECUTABLE_DIRECTIVE_INTERSECTION", why)
    })
}

fn hint_differences(
    cx: &mut Context<'_>,
    name: &Name,
    has: &Sources<'_, Definition>,
    locations: &[DirectiveLocation],
) {
    let own = |directive: &Definition| {
        directive
            .locations
            .iter()
            .filter(|one| is_executable(**one))
            .count()
    };
    if let Some((graph, other)) = has
        .iter()
        .find(|(_, directive)| own(directive) != locations.len())
    {
        let list: Vec<&str> = locations.iter().map(|location| location.name()).collect();
        let message = format!(
            "Executable directive \"@{name}\" has inconsistent locations across subgraphs; the supergraph uses those common to all: {}.",
            list.join(" | ")
        );
        let code = "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS";
        cx.hint(code, *graph, other.location(), message);
    }
    let repeatable = has.iter().find(|(_, directive)| directive.repeatable);
    if let Some((graph, some)) = repeatable.filter(|_| has.iter().any(|(_, other)| !other.repeatable)) {
        let message = format!(
            "Executable directive \"@{name}\" will not be marked repeatable in the supergraph, as it is not repeatable in all subgraphs."
        );
        let code = "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE";
        cx.hint(code, *graph, some.location(), message);
    }
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

/// Whether clients write in such a place.
pub(crate) fn is_executable(location: DirectiveLocation) -> bool {
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
        types: "FIELD_ARGUMENT_TYPE_MISMATCH",
        defaults: "FIELD_ARGUMENT_DEFAULT_MISMATCH",
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
        let element = format!("argument \"@{name}({arg}:)\"");
        let (merged, _) = merge_input(cx, &element, &codes, &sources);
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
        let message = format!(
            "Optional argument \"@{name}({arg}:)\" will not be included in the supergraph as it does not appear in all subgraphs that define the directive."
        );
        let (graph, input) = &read[0];
        return cx.hint("INCONSISTENT_ARGUMENT_PRESENCE", *graph, input.place, message);
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

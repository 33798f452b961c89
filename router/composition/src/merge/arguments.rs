//! Arguments: those that all subgraphs have; a required one must be everywhere.

use apollo_compiler::Name;
use apollo_compiler::ast::Value;
use indexmap::{IndexMap, IndexSet};

use super::merged::{GraphId, MInput};
use super::references::{self, Reference};
use super::{Context, Sources, description, marks};
use crate::model::{Field, Input};

/// Merges the arguments of one field over the subgraphs that resolve it.
pub(super) fn merge(
    cx: &mut Context<'_>,
    field: &str,
    sources: &Sources<'_, Field>,
) -> IndexMap<Name, MInput> {
    let names: IndexSet<&Name> = sources.iter().flat_map(|(_, field)| field.args.keys()).collect();
    let mut merged = IndexMap::new();
    for name in names {
        let has: Sources<'_, Input> = sources
            .iter()
            .filter_map(|(graph, field)| Some((*graph, field.args.get(name)?)))
            .collect();
        // The router fills it, so clients never see it.
        let contextual: Vec<bool> = has.iter().map(|(_, arg)| arg.from_context.is_some()).collect();
        if contextual.iter().any(|is| *is) {
            check_contextual(cx, field, name, &has);
            continue;
        }
        if has.len() < sources.len() {
            report_missing(cx, field, name, sources, &has);
            continue;
        }
        let element = format!("argument \"{field}({name}:)\"");
        let kind = Codes {
            types: "FIELD_ARGUMENT_TYPE_MISMATCH",
            defaults: "FIELD_ARGUMENT_DEFAULT_MISMATCH",
        };
        merged.insert(name.clone(), merge_input(cx, &element, &kind, &has).0);
    }
    merged
}

/// The codes for what cannot merge.
pub(super) struct Codes {
    pub types: &'static str,
    pub defaults: &'static str,
}

/// Merges one argument or input field; also says whether all types agree.
pub(super) fn merge_input(
    cx: &mut Context<'_>,
    element: &str,
    codes: &Codes,
    sources: &Sources<'_, Input>,
) -> (MInput, bool) {
    let texts: Vec<_> = sources
        .iter()
        .map(|(graph, input)| (*graph, input.place, input.description.as_ref()))
        .collect();
    let marked: Vec<_> = sources
        .iter()
        .map(|(graph, input)| (*graph, input.place, &input.marks))
        .collect();
    let types: Vec<_> = sources
        .iter()
        .map(|(graph, input)| (*graph, input.place, &input.ty))
        .collect();
    let reference = Reference {
        element,
        code: codes.types,
        input: true,
    };
    let (ty, equal) = references::merge(cx, &reference, &types);
    let mut merged = MInput {
        description: description::merge(cx, element, &texts),
        ty,
        default: merge_default(cx, element, codes.defaults, sources),
        marks: marks::merge(cx, element, &marked),
        joins: Vec::new(),
    };
    if merged.required() {
        // Another subgraph requires it: it cannot be deprecated any more.
        merged.marks.deprecated = None;
    }
    (merged, equal)
}

/// A default only stays if all subgraphs have it: else one of them would miss a value. Two different ones are an error.
fn merge_default(
    cx: &mut Context<'_>,
    element: &str,
    code: &'static str,
    sources: &Sources<'_, Input>,
) -> Option<apollo_compiler::Node<Value>> {
    let with: Vec<_> = sources
        .iter()
        .filter_map(|(graph, input)| Some((*graph, input, input.default.as_ref()?)))
        .collect();
    let first = with.first()?.2;
    if let Some((graph, input, other)) = with.iter().find(|(_, _, default)| *default != first) {
        let message = format!(
            "{} has incompatible default values across subgraphs: it has default value {} in {} but {} in {}.",
            capital(element),
            first.serialize().no_indent(),
            cx.names(&[with[0].0]),
            other.serialize().no_indent(),
            cx.names(&[*graph])
        );
        cx.error(code, *graph, input.place, message);
        return Some(first.clone());
    }
    if with.len() == sources.len() {
        return Some(first.clone());
    }
    let without: Vec<GraphId> = sources
        .iter()
        .filter(|(_, input)| input.default.is_none())
        .map(|(graph, _)| *graph)
        .collect();
    let message = format!(
        "{} has a default value {} in some subgraphs only: the supergraph has none, as there is none in {}.",
        capital(element),
        first.serialize().no_indent(),
        cx.names(&without)
    );
    cx.hint(
        "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
        with[0].0,
        with[0].1.place,
        message,
    );
    None
}

fn capital(element: &str) -> String {
    let mut chars = element.chars();
    chars
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(chars)
        .collect()
}

fn report_missing(
    cx: &mut Context<'_>,
    field: &str,
    name: &Name,
    sources: &Sources<'_, Field>,
    has: &Sources<'_, Input>,
) {
    let missing: Vec<GraphId> = sources
        .iter()
        .filter(|(_, field)| !field.args.contains_key(name))
        .map(|(graph, _)| *graph)
        .collect();
    let required: Vec<GraphId> = has
        .iter()
        .filter(|(_, arg)| arg.required())
        .map(|(graph, _)| *graph)
        .collect();
    if let Some((graph, arg)) = has.iter().find(|(_, arg)| arg.required()) {
        let message = format!(
            "Argument \"{field}({name}:)\" is required in some subgraphs but does not appear in all subgraphs: it is required in {} but does not appear in {}.",
            cx.names(&required),
            cx.names(&missing)
        );
        cx.error(
            "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
            *graph,
            arg.place,
            message,
        );
        return;
    }
    let present: Vec<GraphId> = has.iter().map(|(graph, _)| *graph).collect();
    let message = format!(
        "Optional argument \"{field}({name}:)\" will not be included in the supergraph as it does not appear in all subgraphs: it is defined in {} but not in {}.",
        cx.names(&present),
        cx.names(&missing)
    );
    cx.hint(
        "INCONSISTENT_ARGUMENT_PRESENCE",
        has[0].0,
        has[0].1.place,
        message,
    );
}

/// Where a subgraph fills the argument from a context, the others must not demand it of clients.
fn check_contextual(cx: &mut Context<'_>, field: &str, name: &Name, has: &Sources<'_, Input>) {
    for (graph, arg) in has.iter().filter(|(_, arg)| arg.from_context.is_none()) {
        if !arg.required() {
            let message = format!(
                "Argument \"{field}({name}:)\" is contextual in some subgraphs but not in {}: it is not in the supergraph, so that subgraph gets its default or nothing.",
                cx.names(&[*graph])
            );
            let code = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS";
            cx.hint(code, *graph, arg.place, message);
            continue;
        }
        let message = format!(
            "Argument \"{field}({name}:)\" is contextual in some subgraphs and required in {}: make it optional there or fill it by @fromContext.",
            cx.names(&[*graph])
        );
        cx.error(
            "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
            *graph,
            arg.place,
            message,
        );
    }
}

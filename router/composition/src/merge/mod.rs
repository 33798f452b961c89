//! Stage 3: all subgraphs become one schema, each element with the note of who gives it.
//!
//! One rule per file; [`Context`] carries what they share. The rules follow
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/composition#merging-types-from-multiple-subgraphs>.

mod access;
mod arguments;
mod cache_tags;
mod compose_directives;
mod consistency;
mod contexts;
mod defaults;
mod description;
mod enums;
mod executable_directives;
mod externals;
mod fields;
mod graphs;
mod implementations;
mod imports;
mod inaccessible;
mod inputs;
mod interface_objects;
mod interfaces;
mod lattice;
mod list_sizes;
mod marks;
pub(crate) mod merged;
mod overrides;
mod references;
mod sharing;
mod transitive_access;
mod types;

use apollo_compiler::Name;
use std::collections::BTreeMap;

use crate::diagnostics::Diagnostic;
use crate::model::{Kind, Model, Place, is_root};
pub(crate) use contexts::split as split_context;
pub(crate) use executable_directives::is_executable as is_executable_location;
use lattice::Lattice;
use merged::{GraphId, MType, Merged};

/// The same element in the subgraphs that have it.
pub(crate) type Sources<'a, T> = Vec<(GraphId, &'a T)>;

/// What the rules share.
pub(crate) struct Context<'a> {
    pub models: &'a [Model],
    pub lattice: Lattice,
    pub errors: Vec<Diagnostic>,
    pub hints: Vec<Diagnostic>,
    /// Where each enum is used.
    pub usage: BTreeMap<Name, enums::Usage>,
}

impl<'a> Context<'a> {
    fn error(&mut self, code: &str, graph: GraphId, place: Place, message: impl Into<String>) {
        let report = self.models[graph].report(code, place, message);
        self.errors.push(report);
    }

    fn hint(&mut self, code: &str, graph: GraphId, place: Place, message: impl Into<String>) {
        let report = self.models[graph].report(code, place, message);
        self.hints.push(report);
    }

    /// An error about an element of the supergraph, placed in the first subgraph that has it.
    fn error_at(&mut self, code: &str, ty: &MType, field: Option<&Name>, message: impl Into<String>) {
        let message = message.into();
        for graph in ty.graphs() {
            let Some(own) = self.models[graph].types.get(&ty.name) else {
                continue;
            };
            let place: Option<Place> = match field {
                Some(field) => {
                    let field_place = own.fields.get(field).map(|field| field.place);
                    let input_place = || own.inputs.get(field).map(|input| input.place);
                    let value_place = || own.values.get(field).map(|value| value.place);
                    field_place.or_else(input_place).or_else(value_place)
                }
                None => Some(own.place),
            };
            if let Some(place) = place {
                return self.error(code, graph, place, message);
            }
        }
        self.errors.push(Diagnostic::global(code, message));
    }

    /// `subgraph "A"`, `subgraphs "A" and "B"`.
    fn names(&self, graphs: &[GraphId]) -> String {
        let names: Vec<String> = graphs
            .iter()
            .map(|graph| format!("\"{}\"", self.models[*graph].name))
            .collect();
        match names.as_slice() {
            [one] => format!("subgraph {one}"),
            [first @ .., last] if !first.is_empty() => format!("subgraphs {} and {last}", first.join(", ")),
            _ => "no subgraph".to_owned(),
        }
    }
}

/// What merging yields.
pub(crate) struct Outcome {
    /// Whole only where there are no errors.
    pub merged: Merged,
    pub hints: Vec<Diagnostic>,
    /// What cannot be merged.
    pub errors: Vec<Diagnostic>,
    /// What is wrong with the merged schema; it may follow from `errors`.
    pub derived_errors: Vec<Diagnostic>,
}

/// Merges the models; all errors at once.
pub(crate) fn merge(models: &[Model]) -> Outcome {
    let lattice = Lattice::of(models);
    let mut cx = Context {
        models,
        lattice,
        errors: Vec::new(),
        hints: Vec::new(),
        usage: BTreeMap::new(),
    };
    let mut merged = Merged {
        graphs: graphs::graphs(models),
        ..Merged::default()
    };
    description::merge_schema(&mut cx, &mut merged);
    imports::check(&mut cx);
    let enums = types::merge_types(&mut cx, &mut merged);
    compose_directives::merge(&mut cx, &mut merged);
    executable_directives::merge(&mut cx, &mut merged);
    types::merge_enums(&mut cx, &mut merged, enums);
    let errors = std::mem::take(&mut cx.errors);
    interface_objects::add_fields(&cx, &mut merged);
    check(&mut cx, &mut merged);
    Outcome {
        merged,
        hints: cx.hints,
        errors,
        derived_errors: cx.errors,
    }
}

/// Completes the merged schema and checks it.
fn check(cx: &mut Context<'_>, merged: &mut Merged) {
    access::propagate(merged);
    contexts::note(merged);
    interfaces::check(cx, merged);
    implementations::check(cx, merged);
    defaults::check(cx, merged);
    transitive_access::check(cx, merged);
    check_queries(cx, merged);
    check_emptied(cx, merged);
    inaccessible::check(cx, merged);
}

/// Types of which only external fields were left, in all subgraphs.
fn check_emptied(cx: &mut Context<'_>, merged: &Merged) {
    let emptied = |ty: &&MType| {
        matches!(ty.kind, Kind::Object | Kind::Interface) && ty.fields.is_empty() && !is_root(&ty.name)
    };
    for ty in merged.types.values().filter(emptied) {
        let graphs: Vec<GraphId> = ty.graphs().into_iter().collect();
        let message = format!(
            "Type \"{}\" contains only external fields in all the subgraphs where it is defined ({}) and none of them is used.",
            ty.name,
            cx.names(&graphs)
        );
        let place = cx.models[graphs[0]].types.get(&ty.name).and_then(|own| own.place);
        cx.error("TYPE_WITH_ONLY_UNUSED_EXTERNAL", graphs[0], place, message);
    }
}

/// A schema without a query cannot be asked anything.
fn check_queries(cx: &mut Context<'_>, merged: &Merged) {
    let has_fields = merged
        .types
        .get("Query")
        .is_some_and(|query| !query.fields.is_empty());
    let lost = cx.models.iter().any(|model| {
        model
            .types
            .get("Query")
            .is_some_and(|query| !query.fields.is_empty())
    });
    if !has_fields && !lost {
        let message =
            "No queries found in any subgraph: a supergraph must have a query root type with a field.";
        cx.errors.push(Diagnostic::global("NO_QUERIES", message));
    }
}

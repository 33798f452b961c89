//! Stage 3: all subgraphs become one schema, each element with the note of who gives it.
//!
//! One rule per file; [`Context`] carries what they share. The rules follow
//! <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/composition#merging-types-from-multiple-subgraphs>.

mod access;
mod arguments;
mod compose_directives;
mod contexts;
mod defaults;
mod description;
mod enums;
mod executable_directives;
mod externals;
mod fields;
mod graphs;
mod implementations;
mod inaccessible;
mod inputs;
mod interface_objects;
mod interfaces;
mod lattice;
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

/// Merges the models; all errors at once.
pub(crate) fn merge(models: &[Model]) -> Result<(Merged, Vec<Diagnostic>), Vec<Diagnostic>> {
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
    types::merge_types(&mut cx, &mut merged);
    interface_objects::add_fields(&cx, &mut merged);
    interfaces::check(&mut cx, &merged);
    implementations::check(&mut cx, &merged);
    defaults::check(&mut cx, &merged);
    compose_directives::merge(&mut cx, &mut merged);
    executable_directives::merge(&mut cx, &mut merged);
    access::propagate(&mut merged);
    transitive_access::check(&mut cx, &merged);
    contexts::note(&mut merged);
    check_queries(&mut cx, &merged);
    check_emptied(&mut cx, &merged);
    inaccessible::check(&mut cx, &merged);
    if cx.errors.is_empty() {
        Ok((merged, cx.hints))
    } else {
        Err(cx.errors)
    }
}

/// Types of which only external fields were left, in all subgraphs.
fn check_emptied(cx: &mut Context<'_>, merged: &Merged) {
    if !cx.errors.is_empty() {
        return;
    }
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

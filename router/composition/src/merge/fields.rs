//! Fields of objects and interfaces, and the `@join__field`s that say who resolves them.
//!
//! <https://specs.apollo.dev/join/v0.3/#@join__field>

use apollo_compiler::Name;
use indexmap::IndexSet;

use super::contexts::context_args;
use super::merged::{GraphId, JoinField, MField, MType};
use super::overrides::{self, Overrides};
use super::references::{self, Reference};
use super::{
    Context, Sources, arguments, cache_tags, description, externals, interface_objects, list_sizes, marks,
    sharing,
};
use crate::model::{Field, Kind, TypeDef};

/// Merges all fields of one type.
pub(super) fn merge_fields(cx: &mut Context<'_>, sources: &Sources<'_, TypeDef>, merged: &mut MType) {
    let names: IndexSet<&Name> = sources.iter().flat_map(|(_, ty)| ty.fields.keys()).collect();
    for name in names {
        let has: Sources<'_, Field> = sources
            .iter()
            .filter_map(|(graph, ty)| Some((*graph, ty.fields.get(name)?)))
            .collect();
        let overrides = overrides::resolve(cx, &merged.name, &has);
        if let Some(field) = merge_field(cx, sources, merged, &has, &overrides) {
            if merged.kind == Kind::Object && !overrides.failed {
                sharing::check(cx, merged, name, &has, &overrides);
            }
            merged.fields.insert(name.clone(), field);
        }
    }
    if merged.kind == Kind::Interface {
        interface_objects::check_subgraphs(cx, sources, &merged.name);
    }
}

fn merge_field(
    cx: &mut Context<'_>,
    types: &Sources<'_, TypeDef>,
    parent: &MType,
    has: &Sources<'_, Field>,
    overrides: &Overrides,
) -> Option<MField> {
    let name = &has[0].1.name;
    let coordinate = format!("{}.{name}", parent.name);
    let element = format!("field \"{coordinate}\"");
    let real: Sources<'_, Field> = has.iter().filter(|(_, field)| !field.external).copied().collect();
    if real.is_empty() {
        return report_missing_base(cx, parent, &coordinate, has);
    }
    let texts: Vec<_> = real
        .iter()
        .map(|(graph, field)| (*graph, field.place, field.description.as_ref()))
        .collect();
    let marked: Vec<_> = real
        .iter()
        .map(|(graph, field)| (*graph, field.place, &field.marks))
        .collect();
    let listed: Vec<_> = real
        .iter()
        .map(|(graph, field)| (*graph, field.place, &field.ty))
        .collect();
    let reference = Reference {
        element: &element,
        code: "FIELD_TYPE_MISMATCH",
        input: false,
    };
    let (ty, mut equal) = references::merge(cx, &reference, &listed);
    let mut field = MField {
        description: description::merge(cx, &format!("Field \"{coordinate}\""), &texts),
        ty,
        args: arguments::merge(cx, &coordinate, &real),
        marks: marks::merge(cx, &format!("field \"{coordinate}\""), &marked),
        joins: Vec::new(),
        directives: real
            .iter()
            .flat_map(|(graph, field)| cache_tags::of(*graph, &field.marks))
            .collect(),
    };
    list_sizes::prune(cx, (parent, name), &real, &mut field);
    equal &= externals::check(cx, &coordinate, has, &field);
    if needs_joins(types, has, overrides, equal) {
        field.joins = joins(cx, has, overrides, equal);
    }
    Some(field)
}

/// Only `@external`: nobody resolves it, unless an interface object does.
fn report_missing_base(
    cx: &mut Context<'_>,
    parent: &MType,
    coordinate: &str,
    has: &Sources<'_, Field>,
) -> Option<MField> {
    let (graph, field) = has[0];
    if let Some(lent) = interface_objects::lender(cx, parent, &field.name) {
        let equal = has.iter().all(|(_, field)| field.ty == lent.ty);
        let mut merged = MField {
            description: lent.description.clone(),
            ty: lent.ty.clone(),
            args: arguments::merge(
                cx,
                coordinate,
                &vec![(interface_objects::lender_graph(cx, parent, &field.name)?, lent)],
            ),
            marks: lent.marks.clone(),
            joins: joins(cx, has, &Overrides::default(), equal),
            directives: Vec::new(),
        };
        merged.joins.push(JoinField::default());
        return Some(merged);
    }
    let graphs: Vec<GraphId> = has.iter().map(|(graph, _)| *graph).collect();
    let message = format!(
        "Field \"{coordinate}\" is marked @external on all the subgraphs in which it is listed ({}).",
        cx.names(&graphs)
    );
    cx.error("EXTERNAL_MISSING_ON_BASE", graph, field.place, message);
    None
}

/// No note is needed where every subgraph of the type resolves the field plainly and alike.
fn needs_joins(
    types: &Sources<'_, TypeDef>,
    has: &Sources<'_, Field>,
    overrides: &Overrides,
    equal: bool,
) -> bool {
    let plain = |(graph, field): &(GraphId, &Field)| {
        !field.external
            && field.requires.is_none()
            && field.provides.is_none()
            && field.args.values().all(|arg| arg.from_context.is_none())
            && !overrides.is_overridden(*graph)
    };
    !equal || overrides.needs_joins() || has.len() < types.len() || !has.iter().all(plain)
}

fn joins(cx: &Context<'_>, has: &Sources<'_, Field>, overrides: &Overrides, equal: bool) -> Vec<JoinField> {
    let mut joins = Vec::new();
    for (graph, field) in has {
        let label = overrides.label(*graph);
        if overrides.is_unused(*graph) && label.is_none() {
            continue;
        }
        joins.push(JoinField {
            graph: Some(*graph),
            requires: field.requires.clone(),
            provides: field.provides.clone(),
            ty: (!equal).then(|| field.ty.clone()),
            external: field.external,
            overrides: field.overrides.as_ref().map(|each| each.from.clone()),
            label: label.map(str::to_owned),
            used_overridden: overrides.is_used(*graph),
            context_args: context_args(&cx.models[*graph], field),
        });
    }
    joins
}

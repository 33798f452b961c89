//! All types: found, checked to be of one kind, merged by their kind's rule.

use apollo_compiler::Name;
use indexmap::IndexMap;
use std::collections::BTreeMap;

use super::merged::{GraphId, JoinType, MType, Merged};
use super::{Context, Sources, cache_tags, consistency, description, enums, fields, inputs, marks};
use crate::model::{Kind, TypeDef, is_root};

/// Enums with what all types have, to be merged when their usage is known.
pub(super) type Enums<'a> = Vec<(Sources<'a, TypeDef>, MType)>;

/// Merges every type but enums.
pub(super) fn merge_types<'a>(cx: &mut Context<'a>, merged: &mut Merged) -> Enums<'a> {
    let mut all: BTreeMap<&Name, Sources<'a, TypeDef>> = BTreeMap::new();
    for (graph, model) in cx.models.iter().enumerate() {
        for (name, ty) in &model.types {
            all.entry(name).or_default().push((graph, ty));
        }
    }
    let mut late = Vec::new();
    for (name, sources) in all {
        check_base(cx, name, &sources);
        let Some(kind) = kind(cx, name, &sources) else {
            continue;
        };
        let mut ty = shell(cx, name, kind, &sources);
        match kind {
            Kind::Object | Kind::Interface => {
                fields::merge_fields(cx, &sources, &mut ty);
                consistency::hint(cx, name, &sources);
            }
            Kind::Union => merge_members(cx, &sources, &mut ty),
            Kind::Input => inputs::merge(cx, &sources, &mut ty),
            Kind::Enum => {
                late.push((sources, ty));
                continue;
            }
            Kind::Scalar => {}
        }
        if !(is_root(name) && ty.fields.is_empty() && name != "Query") {
            merged.types.insert(name.clone(), ty);
        }
    }
    late
}

/// Merges the enums: all fields and directives that use them are merged.
pub(super) fn merge_enums(cx: &mut Context<'_>, merged: &mut Merged, enums: Enums<'_>) {
    for (sources, mut ty) in enums {
        enums::merge(cx, &sources, &mut ty);
        merged.types.insert(ty.name.clone(), ty);
    }
}

/// Types that are only ever extended have no owner.
fn check_base(cx: &mut Context<'_>, name: &Name, sources: &Sources<'_, TypeDef>) {
    if is_root(name) || sources.iter().any(|(_, ty)| ty.defined) {
        return;
    }
    for (graph, ty) in sources {
        let message = format!(
            "[{}] Type \"{name}\" is an extension type, but there is no type definition for \"{name}\" in any subgraph: define it, without extend, in the subgraph that owns it.",
            cx.models[*graph].name
        );
        cx.error("EXTENSION_WITH_NO_BASE", *graph, ty.place, message);
    }
}

/// The kind of the type, if it is the same everywhere; an interface object stands for its interface.
fn kind(cx: &mut Context<'_>, name: &Name, sources: &Sources<'_, TypeDef>) -> Option<Kind> {
    let effective = |ty: &TypeDef| {
        if ty.interface_object {
            Kind::Interface
        } else {
            ty.kind
        }
    };
    let first = effective(sources[0].1);
    let Some(other) = sources.iter().find(|(_, ty)| effective(ty) != first) else {
        return check_interface_object(cx, name, sources).then_some(first);
    };
    let mut groups: IndexMap<Kind, Vec<GraphId>> = IndexMap::new();
    for (graph, ty) in sources {
        groups.entry(effective(ty)).or_default().push(*graph);
    }
    let parts: Vec<String> = groups
        .iter()
        .map(|(kind, graphs)| format!("{} Type in {}", kind.describe(), cx.names(graphs)))
        .collect();
    let message = format!(
        "Type \"{name}\" has mismatched kind: it is defined as {}.",
        parts.join(" but ")
    );
    cx.error("TYPE_KIND_MISMATCH", other.0, other.1.place, message);
    None
}

/// Somewhere the interface itself must be defined.
fn check_interface_object(cx: &mut Context<'_>, name: &Name, sources: &Sources<'_, TypeDef>) -> bool {
    if sources.iter().any(|(_, ty)| !ty.interface_object) {
        return true;
    }
    let graphs: Vec<GraphId> = sources.iter().map(|(graph, _)| *graph).collect();
    let message = format!(
        "Type \"{name}\" is declared with @interfaceObject in all the subgraphs in which it is defined (it is defined in {} but should be defined as an interface in at least one subgraph).",
        cx.names(&graphs)
    );
    cx.error(
        "INTERFACE_OBJECT_USAGE_ERROR",
        sources[0].0,
        sources[0].1.place,
        message,
    );
    false
}

/// What all kinds have: description, marks, joins, interfaces.
fn shell(cx: &mut Context<'_>, name: &Name, kind: Kind, sources: &Sources<'_, TypeDef>) -> MType {
    let element = format!("Type \"{name}\"");
    let texts: Vec<_> = sources
        .iter()
        .map(|(graph, ty)| (*graph, ty.place, ty.description.as_ref()))
        .collect();
    let marked: Vec<_> = sources
        .iter()
        .map(|(graph, ty)| (*graph, ty.place, &ty.marks))
        .collect();
    let description = description::merge(cx, &element, &texts);
    let marks = marks::merge(cx, &element, &marked);
    let mut contexts = Vec::new();
    for (graph, ty) in sources {
        let subgraph = &cx.models[*graph].name;
        contexts.extend(
            ty.contexts
                .iter()
                .map(|(context, _)| format!("{subgraph}__{context}")),
        );
    }
    let pairs = |(graph, ty): &(GraphId, &TypeDef)| {
        let graph = *graph;
        ty.implements
            .iter()
            .map(move |interface| (graph, interface.clone()))
            .collect::<Vec<_>>()
    };
    MType {
        name: name.clone(),
        kind,
        description,
        marks,
        contexts,
        joins: sources.iter().flat_map(|(graph, ty)| joins(*graph, ty)).collect(),
        implements: sources
            .iter()
            .flat_map(|(_, ty)| ty.implements.iter().cloned())
            .collect(),
        join_implements: sources.iter().flat_map(pairs).collect(),
        one_of: sources.iter().any(|(_, ty)| ty.one_of),
        directives: sources
            .iter()
            .flat_map(|(graph, ty)| cache_tags::of(*graph, &ty.marks))
            .collect(),
        members: Default::default(),
        join_members: Vec::new(),
        fields: IndexMap::new(),
        inputs: IndexMap::new(),
        values: IndexMap::new(),
    }
}

/// One `@join__type` per key, or one without.
fn joins(graph: GraphId, ty: &TypeDef) -> Vec<JoinType> {
    let interface_object = ty.interface_object;
    if ty.keys.is_empty() {
        return vec![JoinType {
            graph,
            key: None,
            extension: false,
            resolvable: None,
            interface_object,
        }];
    }
    let one = |key: &crate::model::Key| JoinType {
        graph,
        key: Some(key.set.clone()),
        extension: key.extension,
        resolvable: key.resolvable,
        interface_object,
    };
    ty.keys.iter().map(one).collect()
}

/// Unions: all members of all subgraphs.
fn merge_members(cx: &mut Context<'_>, sources: &Sources<'_, TypeDef>, merged: &mut MType) {
    for (graph, ty) in sources {
        merged.members.extend(ty.members.iter().cloned());
        merged
            .join_members
            .extend(ty.members.iter().map(|member| (*graph, member.clone())));
    }
    for member in merged.members.clone() {
        let missing: Vec<GraphId> = sources
            .iter()
            .filter(|(_, ty)| !ty.members.contains(&member))
            .map(|(graph, _)| *graph)
            .collect();
        let has = sources.iter().find(|(_, ty)| ty.members.contains(&member));
        if let (false, Some((graph, ty))) = (missing.is_empty(), has) {
            let message = format!(
                "Union type \"{}\" includes member type \"{member}\" in some but not all defining subgraphs: not in {}.",
                merged.name,
                cx.names(&missing)
            );
            cx.hint("INCONSISTENT_UNION_MEMBER", *graph, ty.place, message);
        }
    }
}

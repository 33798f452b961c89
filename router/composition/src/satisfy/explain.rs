//! What a failing query looks like, and why each subgraph that might answer cannot.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::reach::Reach;
use super::world::{Around, Entry, Position, TypeId, World};
use crate::merge::merged::{GraphId, MField};
use crate::model::{Kind, Model, Place};

/// One step of the way to a field.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Root(TypeId),
    Field(TypeId, Name),
    On(TypeId),
}

/// The query that takes the steps.
pub(super) fn query(world: &World<'_>, steps: &[Step]) -> String {
    let lines = steps.iter().enumerate().map(|(depth, step)| {
        let last = depth + 1 == steps.len();
        format!("{}{}\n", "  ".repeat(depth), step_line(world, step, last))
    });
    let mut out: String = lines.collect();
    for depth in (0..steps.len().saturating_sub(1)).rev() {
        let _ = writeln!(out, "{}}}", "  ".repeat(depth));
    }
    out.trim_end().to_owned()
}

fn step_line(world: &World<'_>, step: &Step, last: bool) -> String {
    match step {
        Step::Root(ty) if world.ty(*ty).name == "Query" => "{".to_owned(),
        Step::Root(ty) => format!("{} {{", world.ty(*ty).name.to_lowercase()),
        Step::On(ty) => format!("... on {} {{", world.ty(*ty).name),
        Step::Field(ty, name) => {
            let field = world.ty(*ty).fields.get(name);
            let args = field.map(|field| arguments(world, field)).unwrap_or_default();
            let target = field.and_then(|field| world.id(field.ty.inner_named_type()));
            let composite = target.is_some_and(|id| world.is_composite(id));
            let tail = match (last, composite) {
                (false, _) => " {",
                (true, true) => " { __typename }",
                (true, false) => "",
            };
            format!("{name}{args}{tail}")
        }
    }
}

/// Required arguments with values that fit.
fn arguments(world: &World<'_>, field: &MField) -> String {
    let required = field.args.iter().filter(|(_, arg)| arg.required());
    let given: Vec<String> = required
        .map(|(name, arg)| format!("{name}: {}", sample(world, &arg.ty)))
        .collect();
    if given.is_empty() {
        String::new()
    } else {
        format!("({})", given.join(", "))
    }
}

fn sample(world: &World<'_>, ty: &Type) -> String {
    if ty.is_list() {
        return "[]".to_owned();
    }
    let name = ty.inner_named_type();
    match name.as_str() {
        "Int" => "1".to_owned(),
        "Float" => "1.0".to_owned(),
        "Boolean" => "true".to_owned(),
        _ => {
            let merged = world.id(name).map(|id| world.ty(id));
            let value = merged.and_then(|ty| ty.values.keys().next());
            let input = merged.is_some_and(|ty| ty.kind == Kind::Input);
            value.map_or_else(
                || if input { "{}" } else { "\"…\"" }.to_owned(),
                |value| value.to_string(),
            )
        }
    }
}

/// The subgraph that gives the field, or else knows of it, and where.
pub(super) fn defining(
    world: &World<'_>,
    models: &[Model],
    ty: TypeId,
    field: &Name,
) -> Option<(GraphId, Place)> {
    let own = &world.ty(ty).name;
    let types = || std::iter::once(own).chain(&world.ty(ty).implements);
    let place = |graph: GraphId| types().find_map(|ty| models[graph].field(ty, field));
    let gives = candidates(world, ty, field).into_iter().chain(0..models.len());
    gives
        .into_iter()
        .find_map(|graph| Some((graph, place(graph)?.place)))
}

/// Why nobody can answer the field, standing at `closure`.
pub(super) fn reasons(
    reach: &mut Reach<'_>,
    models: &[Model],
    (ty, field): (TypeId, &Name),
    closure: &[Position],
    around: &Around<'_>,
) -> String {
    let world = reach.world;
    let coordinate = format!("{}.{field}", world.ty(ty).name);
    let mut out = String::new();
    let here: BTreeSet<GraphId> = closure.iter().map(|at| at.graph).collect();
    for at in closure {
        let _ = writeln!(out, "- from subgraph \"{}\":", models[at.graph].name);
        let why = match world.unset(*at, field, around) {
            Some(context) => {
                let (_, name) = context.rsplit_once("__").unwrap_or_default();
                format!(
                    "field \"{coordinate}\" takes an argument from the context \"{name}\", which nothing around it sets here."
                )
            }
            None => local_reason(reach, ty, closure, *at, (field, &coordinate)),
        };
        let _ = writeln!(out, "  - {why}");
    }
    if closure.is_empty() {
        let _ = writeln!(
            out,
            "- no subgraph can be asked for type \"{}\" here.",
            world.ty(ty).name
        );
    }
    for graph in candidates(world, ty, field)
        .into_iter()
        .filter(|graph| !here.contains(graph))
    {
        for reason in move_reasons(models, reach, ty, (graph, &coordinate), (closure, &here)) {
            let _ = writeln!(out, "- {reason}");
        }
    }
    out.trim_end().to_owned()
}

/// Why no key leads to a subgraph that has the field.
fn move_reasons(
    models: &[Model],
    reach: &mut Reach<'_>,
    ty: TypeId,
    (graph, coordinate): (GraphId, &str),
    (closure, here): (&[Position], &BTreeSet<GraphId>),
) -> Vec<String> {
    let world = reach.world;
    let entries: Vec<&Entry<'_>> = world
        .entries(ty)
        .iter()
        .filter(|entry| entry.graph == graph)
        .collect();
    if entries.is_empty() {
        let (target, name) = (&models[graph].name, &world.ty(ty).name);
        return vec![format!(
            "cannot move to subgraph \"{target}\", which has field \"{coordinate}\", because type \"{name}\" has no @key defined in subgraph \"{target}\"."
        )];
    }
    entries
        .iter()
        .map(|entry| {
            let missing = reach.missing(ty, closure, entry.key.selection());
            entry_reason(models, world, entry, coordinate, (here, missing))
        })
        .collect()
}

fn local_reason(
    reach: &mut Reach<'_>,
    ty: TypeId,
    closure: &[Position],
    at: Position,
    (field, coordinate): (&Name, &str),
) -> String {
    let world = reach.world;
    let Some(local) = world.local(at, field) else {
        return format!("cannot find field \"{coordinate}\".");
    };
    if local.external {
        return format!("field \"{coordinate}\" is not resolvable because marked @external.");
    }
    let requires = local.requires.map_or("", |requires| requires.raw.as_str());
    let selection = local.requires.map_or(&[][..], |requires| requires.selection());
    if let Some(missing) = reach.missing(ty, closure, selection) {
        return format!(
            "cannot satisfy @requires(fields: \"{requires}\") on field \"{coordinate}\": there is no way to \"{missing}\"."
        );
    }
    let mut enters = world
        .entries(at.ty)
        .iter()
        .filter(|entry| entry.graph == at.graph);
    let back = if enters.any(|entry| entry.resolvable) {
        ""
    } else {
        ": what is required must be sent back, and the subgraph has no resolvable @key for that"
    };
    format!("cannot satisfy @requires(fields: \"{requires}\") on field \"{coordinate}\"{back}.")
}

fn entry_reason(
    models: &[Model],
    world: &World<'_>,
    entry: &Entry<'_>,
    coordinate: &str,
    (here, missing): (&BTreeSet<GraphId>, Option<String>),
) -> String {
    let target = &models[entry.graph].name;
    let ty = &world.ty(entry.ty).name;
    let key = &entry.key.raw;
    if !entry.resolvable {
        return format!(
            "cannot move to subgraph \"{target}\", which has field \"{coordinate}\", because @key(fields: \"{key}\") of \"{ty}\" is defined there with \"resolvable: false\"."
        );
    }
    let from: Vec<String> = here
        .iter()
        .map(|graph| format!("\"{}\"", models[*graph].name))
        .collect();
    let missing = missing.map_or_else(String::new, |missing| {
        format!(": there is no way to \"{missing}\"")
    });
    format!(
        "cannot move to subgraph \"{target}\" using @key(fields: \"{key}\") of \"{ty}\", the key field(s) cannot be resolved from subgraph {}{missing}.",
        from.join(", ")
    )
}

/// The subgraphs that resolve the field when asked directly.
fn candidates(world: &World<'_>, ty: TypeId, field: &Name) -> BTreeSet<GraphId> {
    let interfaces = world.ty(ty).implements.iter().filter_map(|name| world.id(name));
    let mut found = BTreeSet::new();
    for id in std::iter::once(ty).chain(interfaces) {
        for at in world.everywhere(id) {
            let own = id == ty || world.is_interface_object(at.graph, id);
            if own && world.local(at, field).is_some_and(|local| !local.external) {
                found.insert(at.graph);
            }
        }
    }
    found
}
